// From imported rows to the records of a run: fields cleaned and held against the recipe's declaration, the language
// found. A row with too little in it (or too much) is kept and marked as needing a person, with the reason.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/records.h"
#include "recipe/recipe.h"
#include "recipe/run.h"

namespace atelier::recipe {

// How files of its records are read: which fields there are, which are lists, and what parts them.
data::ImportOptions ImportOf(const Recipe& recipe);

// Reads `path` by the recipe's [input]; `sha256`, where given, becomes that of the bytes read. Throws
// Error(kInvalidInput) with file:line for what is not a table of records or has a field the recipe does not know.
std::vector<Record> ReadInput(const Recipe& recipe, const std::string& path, std::string* sha256 = nullptr);

Record MakeRecord(const Recipe& recipe, const data::Record& row, size_t index);
// The same from a JSON object that came by another way than a file; `where` names it in messages.
Record MakeRecord(const Recipe& recipe, const Json& object, const std::string& where, size_t index);

// What an input record has to be, as JSON Schema. A record that it does not let through may still be given: it needs a
// person then.
Json InputSchema(const Recipe& recipe);

// "zh" when at least a fifth of the letters are Han, else "en".
std::string DetectLanguage(std::string_view text);

// White space of every kind as single spaces, no control or format characters, ends trimmed.
std::string CleanField(std::string_view text);
// As it is, but for control and format characters and white space at its ends; line ends of every kind as \n.
std::string CleanLines(std::string_view text);

size_t CountChars(std::string_view text);  // code points

}  // namespace atelier::recipe
