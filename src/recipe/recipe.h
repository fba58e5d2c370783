// A recipe as its folder states it: recipe.toml, read strictly, with one variant laid over its steps.
//
//   [recipe]   name, version, summary
//   [input]    fields = [[input.field]] ...: what a record has; language: where its language comes from
//   [output]   [[output.field]] ...: what one candidate has
//   [[step]]   id, use, and the keys of the operator that it uses
//   [variants.NAME.STEP]  keys laid over the step of that id
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/json.h"
#include "data/records.h"

namespace atelier::recipe {

enum class FieldType { kText, kList, kNumber };

// One field of an input record. A record that does not meet its declaration is not lost: it needs a person.
struct Field {
  std::string name;
  FieldType type = FieldType::kText;
  bool required = false;
  size_t most_chars = 200;  // of the text, or of each item
  size_t least_items = 0;   // of a list
  size_t most_items = 50;
  bool lines = false;              // a text keeps its line breaks and spaces
  std::string label_zh, label_en;  // how people call it, for pages and messages
};

struct InputSpec {
  std::vector<Field> fields;
  std::vector<std::string> languages;  // those that the recipe can write
  std::string language_field;          // names the language where it is filled in; "" : always found from the text
  std::string list_separators;
  const Field* Find(std::string_view name) const;
};

struct OutputField {
  std::string name;
  FieldType type = FieldType::kText;
};

struct StepSpec {
  std::string id, use;
  Table table;  // with the variant's keys laid over
};

struct Recipe {
  std::string name, summary, folder, variant;
  int64_t version = 0;
  InputSpec input;
  std::vector<OutputField> output;
  std::vector<StepSpec> steps;
  std::vector<std::string> variants;  // all that it declares
  std::string hash;                   // of every file the result depends on, and of the variant; see HashFolder
};

// Loads FOLDER/recipe.toml. `variant` "" is the recipe as written. Throws Error(kInvalidInput) with file:line for
// anything unknown or contradictory, kNotFound for a folder without recipe.toml and for an unknown variant.
Recipe LoadRecipe(const std::string& folder, const std::string& variant);

// The same from text, without the folder's hash; for tests and fuzzing.
Recipe ParseRecipe(std::string_view text, const std::string& file, const std::string& folder,
                   const std::string& variant);

// SHA-256 over names and contents of the folder's files but for README*, sample/, tests/ and hidden ones, and the
// variant.
std::string HashFolder(const std::string& folder, const std::string& variant);

}  // namespace atelier::recipe
