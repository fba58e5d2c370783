// One record while it is cleaned: the fields of a flat JSON line in their order, as views into the line or into an
// arena. Nothing is allocated per cell once the arena has grown to the size of a block.
//
// Every text that a row hands out is valid UTF-8 without NUL and has kPadding readable bytes behind its end, so that
// scans may load whole vectors. Ids are those of data/record_line.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/clean/survey.h"
#include "data/record_line.h"

namespace atelier::data::clean {

inline constexpr size_t kPadding = 64;  // readable bytes behind every text; what simdjson wants behind a block too

// Bytes that live as long as the block being cleaned.
class Arena {
 public:
  // Room for `size` bytes and the padding behind them.
  char* Take(size_t size);
  // Gives back what the last Take did not need.
  void Trim(char* begin, size_t used);
  std::string_view Copy(std::string_view text);
  void Clear();  // keeps the memory

 private:
  static constexpr size_t kChunk = 1u << 20;
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };
  std::vector<Chunk> chunks_;
  size_t chunk_ = 0, used_ = 0;
};

enum class Kind : uint8_t { kText, kNumber, kBool, kNull, kNested };

struct Field {
  std::string_view key;   // as in the line: escaped, without quotes
  std::string_view raw;   // the value as JSON; stale while `changed`
  std::string_view text;  // kText: unescaped; else the same as raw
  Kind kind = Kind::kNull;
  bool changed = false;  // `text` holds the value, `raw` is out of date
  bool surveyed = false, tokenised = false;
  Survey survey;
  Tokens tokens;

  bool ours() const { return !key.empty() && key[0] == '_'; }
};

class Row {
 public:
  std::vector<Field> fields;
  std::string_view line;  // without its line feed
  uint64_t changes = 0;   // how often a Set, Add or Remove really changed something
  // The first change since these were last cleared, for reports.
  std::string_view before, after;
  bool has_example = false;

  explicit Row(Arena* arena) : arena_(arena) {}

  // The field of that name, or nullptr. `*hint` is where it stood in the row before: rows of a dataset look alike.
  Field* Find(std::string_view key, size_t* hint);

  // REQUIRES: `text` lives in the arena or longer, with its padding.
  void SetText(Field* field, std::string_view text);
  void SetNumber(Field* field, double value);
  void SetNull(Field* field);
  // Adds a field at the end, or changes the one that is there. The key needs no escapes.
  Field* AddText(std::string_view key, std::string_view text);
  Field* AddNumber(std::string_view key, double value);
  void Remove(Field* field);  // moves the fields behind it

  // The value of a number, or nothing where the field holds something else.
  static std::optional<double> Number(const Field& field);

  Arena* arena() const { return arena_; }

  // Appends the record as a line with its line feed. With `ids`, "_id" comes first and is the hash of the fields that
  // are not ours; it is computed anew when the row was changed or has none.
  void Write(std::string* out, bool ids);

 private:
  Field* Place(std::string_view key);
  void Note(const Field& field, std::string_view now);

  Arena* arena_;
  RecordHasher hasher_;
  std::vector<LineField> written_;  // scratch of Write
};

// Reads blocks of JSON lines. Not thread-safe; one per worker.
class RowReader {
 public:
  RowReader();
  ~RowReader();
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;

  // Starts a block of whole lines. REQUIRES: kPadding readable bytes behind it; it outlives the rows read from it.
  void Start(std::string_view block);
  // The next line into `row` (its arena is not cleared). False at the end. `*wrong` is "" or says why the line is not a
  // record: not JSON, not an object, invalid UTF-8, a lone surrogate, NUL, a name that comes twice.
  bool Next(Row* row, std::string_view* wrong);

 private:
  struct State;
  std::string_view ReadLine(Row* row, size_t end);
  bool Index(std::string_view text);

  std::unique_ptr<State> state_;
  std::string_view block_;
  size_t at_ = 0;       // offset of the next line
  bool whole_ = false;  // the block was indexed as a whole; else every line is indexed on its own
  size_t token_ = 0;    // next structural index
  size_t base_ = 0;     // offset in the block of the text that was indexed
};

// Appends `text` between quotes with JSON's escapes; UTF-8 stays as it is.
void AppendJsonString(std::string* out, std::string_view text);

}  // namespace atelier::data::clean
