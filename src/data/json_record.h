// One line of JSON to one record, by simdjson: what is valid is copied compactly, what is not is named with its column.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "data/record_line.h"

namespace atelier::data {

// For one thread. What JSON allows and a dataset does not: duplicate keys, half surrogate pairs, NUL characters,
// numbers beyond double's range and whole numbers beyond 64 bits (their digits would be lost), more than 200 levels,
// more than 10,000 fields. Numbers stay as they were written, strings get the fewest escapes.
class JsonRecordParser {
 public:
  JsonRecordParser();
  ~JsonRecordParser();
  JsonRecordParser(const JsonRecordParser&) = delete;
  JsonRecordParser& operator=(const JsonRecordParser&) = delete;

  // Writes the fields of the object `line` into `out`, which has begun a record. kReadPadding bytes behind the line
  // must be readable. False: reason() and column() say why, and the record is to be cancelled. A key that begins with
  // '_' or is empty gets an 'x' before it; renamed() says which.
  bool Parse(std::string_view line, LineBuilder* out);
  // Any JSON value, compactly, behind *out; false and reason() where it is none.
  bool AppendValue(std::string_view json, std::string* out);
  const std::string& reason() const { return reason_; }
  size_t column() const { return column_; }                // from 1, in bytes; 0: unknown
  const std::string& renamed() const { return renamed_; }  // the last key that was renamed; "" where none was

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::string reason_, renamed_;
  size_t column_ = 0;
};

// Whether a JSON number token is one that a dataset takes; else the reason ("" for a good one).
std::string_view NumberFault(std::string_view token);

}  // namespace atelier::data
