// The cases of a suite: records of a file, each with a name, an input for the recipe, and what is expected of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/json.h"
#include "recipe/recipe.h"

namespace atelier::experiment {

struct Case {
  std::string id;
  std::string where;  // "file:12", for messages
  Json fields;        // an object of text and lists of text
};

// Which cases: where = { half = "held-out", lang = ["zh", "en"] } wants each field to have one of its values, unless =
// { document = "" } leaves those out that match it. A field that a case does not have is "".
struct Where {
  using Fields = std::map<std::string, std::vector<std::string>>;
  Fields where, unless;
};
Where ReadWhere(Table* table);
bool Matches(const Where& where, const Case& item);

//   [cases]
//   file = "questions.jsonl"            # or a list; CSV or JSON lines, beside the suite
//   id = "id"                           # the field that names a case; without it file:line does
//   input = { question = "question" }   # recipe's field = case's field; by default those of the same name
//   lists = ["references"]              # fields that hold lists; the recipe's own are known
//   where = { half = "held-out" }       # only such cases; `unless` leaves such out
//   limit = 40                          # the first so many of each file
struct CasesSpec {
  std::vector<std::string> files;  // paths
  std::string id;
  std::map<std::string, std::string> input;
  std::vector<std::string> lists;
  Where where;
  int64_t limit = 0;  // 0: all
};
// `folder` is the suite's, in which the files are.
CasesSpec ReadCasesSpec(Table* table, const std::string& folder);

// Throws Error(kInvalidInput) with file:line for two cases of one name, for a field that no case has, and for none
// left.
std::vector<Case> ReadCases(const CasesSpec& spec, const recipe::Recipe& recipe);

// What the recipe gets of a case.
Json InputOf(const Case& item, const CasesSpec& spec, const recipe::Recipe& recipe);

// The case's field as texts: one, or those of a list. Throws Error(kInvalidInput) where the case has no such field.
std::vector<std::string> TextsOf(const Case& item, const std::string& field);

}  // namespace atelier::experiment
