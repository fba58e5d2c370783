// What one arm made of one case: all that measures, pages and the cache need of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/note.h"
#include "recipe/run.h"

namespace atelier::experiment {

struct Output {
  Json fields;               // the recipe's output fields; null: there is none
  std::string lang;          // of the record
  std::string needs_person;  // why there is none, where a recipe said so
  std::string error;         // the same, where making it failed
  std::string writer, model;
  std::map<std::string, double> scores;
  std::vector<std::string> notes;  // what the run told its reader
  double seconds = 0;              // to make it, beside others that ran
  int tokens = 0;                  // written by models, also for candidates that were not chosen
  bool cached = false;
  bool made = true;  // here and now or for the cache; false: it was in a file, which tells no time and no tokens

  // Seconds and tokens mean something.
  bool timed() const { return made && error.empty(); }

  bool there() const { return fields.is_object(); }
  // Why there is none; empty where there is one. What a recipe says of it is in the record's language.
  Note Absence() const;
  Note NoOutput() const;  // "no output: WHY"
};

// The best of a record's candidates.
Output OutputOf(const recipe::Record& record);

Json ToJson(const Output& output);
// Throws Error(kCorrupt) that begins with `what`.
Output OutputFromJson(const Json& json, const std::string& what);

// The output's fields `of` as one text: lists by item, all joined by '\n'. "" where there is no output.
std::string TextOf(const Output& output, const std::vector<std::string>& of);

}  // namespace atelier::experiment
