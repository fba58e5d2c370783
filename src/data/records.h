// Records from a file that a person exported: CSV (and its kin with ; tab or |) or JSON lines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/encoding.h"

namespace atelier::data {

struct ImportOptions {
  uint64_t most_bytes = 256u << 20;  // of the file
  size_t most_records = 1'000'000;
  size_t most_cell_bytes = 1u << 20;
  std::vector<std::string> list_fields;  // fields that hold lists: split at `list_separators` where they come as text
  std::string list_separators = ";；、|\n";  // characters; where none occurs in the text, the whole text is one item
  std::vector<std::string> exact_fields;     // taken as they are: white space kept, lists and objects (of JSON) whole
  bool exact = false;                        // all fields are taken so
  bool skip_structured = false;              // of JSON: lists and objects in other fields are left out, not refused
  std::vector<std::string> known_fields;     // empty: any field; else an unknown one is refused with the nearest known
};

struct Record {
  Json fields;      // an object: text, or arrays of text for list fields
  size_t line = 0;  // in the file, from 1
};

struct Imported {
  std::vector<Record> records;
  Encoding encoding = Encoding::kUtf8;
  std::string sha256;  // of the file's bytes, as they were read
};

// By the file's name: .jsonl or .ndjson are JSON lines, everything else is delimited text. JSON scalars become text, so
// that both kinds of file give the same records; nested objects are refused. Throws Error(kInvalidInput) with
// file:line.
Imported ReadRecords(const std::string& path, const ImportOptions& options = {});
// The same of bytes that were read from `path`.
Imported ParseRecords(std::string bytes, const std::string& path, const ImportOptions& options = {});

// One record from a JSON object, as a line of JSON lines is read; `where` names it in messages ("rows.jsonl:3").
Record ToRecord(const Json& object, const std::string& where, size_t line, const ImportOptions& options = {});

// The parts of a list that was written as one text, trimmed, empty ones left out. A JSON array of scalars is read as
// such.
std::vector<std::string> SplitList(std::string_view text, std::string_view separators);

}  // namespace atelier::data
