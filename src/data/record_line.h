// One record as one line of a dataset: {"_id":"<32 hex>","title":"...","price":12.5,"_from":[0,17]}. Compact JSON, the
// user's fields in their order, "_id" first, our other keys ("_from", "_split" ...) behind them.
//
// "_id" is XXH3-128 over the canonical form of the fields whose key does not begin with '_': the object with its keys
// sorted by their bytes, written compactly, strings with the fewest escapes (\" \\ \b \f \n \r \t \u00xx), numbers as
// they stand in the line. Equal contents have equal ids, whatever the order of fields or the source.
#pragma once

#include <xxhash.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::data {

// The fields of a line as they are written: keys without their quotes, values as JSON; escapes are left alone.
struct LineField {
  std::string_view key, value;
};
// Splits a line of a dataset (with or without '\n'). False for what is not an object; values are checked only so far
// that nothing is read outside the line.
bool SplitLine(std::string_view line, std::vector<LineField>* fields);
// The value of one key, "" where there is none. `key` as it is written in the line.
std::string_view FindValue(std::string_view line, std::string_view key);

// Text as the inside of a JSON string, with the fewest escapes. REQUIRES: UTF-8.
void AppendEscaped(std::string* out, std::string_view text);
std::string Escaped(std::string_view text);
// A JSON string (with its quotes) as text; other values as they stand.
std::string PlainText(std::string_view value);
// Characters (code points) of a JSON string's inside, escapes counted as what they mean.
uint64_t CharactersOf(std::string_view inside);

// The id of fields, see above; `fields` may hold our keys too, which do not count.
class RecordHasher {
 public:
  XXH128_hash_t Hash(const std::vector<LineField>& fields);

 private:
  std::vector<uint32_t> order_;  // of the last record: most records have the same keys in the same order
  std::string canonical_;
};
std::string RecordId(std::string_view line);  // 32 hex digits; "" for what is no record

// Writes lines into one growing buffer.
class LineBuilder {
 public:
  // Begin, then keys and values, then End, which gives the record its id, "_from" and the line's end.
  void Begin();
  // `key` is escaped, without quotes. Throws kInternal for a key that begins with '_'.
  void Key(std::string_view escaped_key);
  void Text(std::string_view text);   // REQUIRES: UTF-8
  void Json(std::string_view value);  // compact JSON
  void Int(int64_t value);
  // The buffer itself, for values that are written in pieces: between Key and the next Key or End.
  std::string* raw() { return &lines_; }
  void End(int source, uint64_t line);
  void Cancel();  // drops the record that was begun

  std::string_view lines() const { return lines_; }
  size_t records() const { return records_; }
  void Clear();

 private:
  struct Span {
    size_t key, key_size, value;  // offsets, since the buffer grows
  };
  std::string lines_;
  std::vector<Span> spans_;
  std::vector<LineField> fields_;
  RecordHasher hasher_;
  size_t begin_ = 0, records_ = 0;
};

}  // namespace atelier::data
