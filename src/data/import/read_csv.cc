// Delimited text of any size: the scanner of csv.h over a sliding buffer. Columns are text unless the person or the
// first rows say that they are numbers.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/str.h"
#include "data/csv.h"
#include "data/import/import.h"
#include "data/import/text_stream.h"
#include "data/json_record.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

constexpr size_t kHead = 1u << 20;  // that dialect and types are judged by
constexpr size_t kTypeRows = 1000;
constexpr size_t kMostColumns = 10'000;

// Names of columns whose digits are no quantities.
bool NamesACode(std::string_view header) {
  const std::string lower = text::ToLower(header);
  for (const char* word :
       {"phone",   "mobile", "tel",     "fax",    "zip",  "postal", "postcode", "code", "sku",  "isbn", "ean",
        "barcode", "card",   "account", "serial", "ssn",  "uuid",   "version",  "电话", "手机", "号",   "编码",
        "代码",    "邮编",   "条码",    "身份",   "電話", "手機",   "號",       "編碼", "代碼", "郵遞"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return lower == "id" || lower.ends_with("_id") || lower.ends_with(" id") || header.ends_with("Id") ||
         header.ends_with("ID");
}

// A cell that can be a number and nothing else: as JSON writes it, and few enough digits to be exact.
bool PlainNumber(std::string_view cell) {
  if (cell.empty() || cell.size() > 24 || !NumberFault(cell).empty()) return false;
  size_t digits = 0;
  for (const char c : cell) {
    if (c == 'e' || c == 'E') break;
    digits += c >= '0' && c <= '9';
  }
  return digits <= 15;
}

// Judges one column by its cells in the head.
class TypeVote {
 public:
  void Add(std::string_view cell) {
    if (cell.empty()) return;
    ++cells_;
    if (!PlainNumber(cell)) {
      number_ = false;
      return;
    }
    const bool integer = cell.find_first_of(".eE") == std::string_view::npos;
    size_t digits = 0;
    for (const char c : cell) digits += c >= '0' && c <= '9';
    if (!integer) {
      fraction_ = true;
      return;
    }
    if (digits > 9) number_ = false;  // a telephone number, an id
    if (least_ == 0 || digits < least_) least_ = digits;
    most_ = std::max(most_, digits);
  }
  bool Number(std::string_view header) const {
    if (!number_ || cells_ < 3 || NamesACode(header)) return false;
    // Whole numbers that all have the same five or more digits: postal codes, dates, numbers of orders.
    return fraction_ || !(least_ == most_ && least_ >= 5);
  }

 private:
  size_t cells_ = 0, least_ = 0, most_ = 0;
  bool number_ = true, fraction_ = false;
};

struct Column {
  std::string key;  // escaped
  bool number = false;
};

char DelimiterOf(const std::string& wanted) {
  if (wanted.empty()) return 0;
  if (wanted == "tab" || wanted == "\\t") return '\t';
  if (wanted.size() != 1 || wanted[0] == '"' || wanted[0] == '\n' || wanted[0] == '\r' ||
      static_cast<unsigned char>(wanted[0]) >= 0x80) {
    throw Error(Code::kUsage, Cat("the delimiter ", Quote(wanted), " is not one ASCII character"),
                "for example --delimiter ';', or --delimiter tab");
  }
  return wanted[0];
}

std::vector<Column> ReadHeader(const ReaderInput& input, ImportSink& sink, const std::vector<std::string_view>& cells,
                               size_t line) {
  std::vector<Column> columns;
  std::set<std::string> seen;
  for (size_t i = 0; i < cells.size(); ++i) {
    std::string name = input.request.header ? std::string(Trim(cells[i])) : Cat("c", i + 1);
    const auto refuse = [&](std::string_view why) {
      throw Error(Code::kInvalidInput, Cat(input.path, ":", line, ": ", why),
                  "name every column once in the first row, or give --no-header");
    };
    if (FirstInvalidUtf8(name) != std::string_view::npos) refuse(Cat("column ", i + 1, ": bytes that do not decode"));
    if (name.find('\0') != std::string::npos) refuse("a NUL byte; this is not a text file");
    std::string kept = name.empty() ? Cat("column_", i + 1) : name.starts_with('_') ? "x" + name : name;
    if (kept != name) sink.Note(Cat("column ", i + 1, ", ", Quote(name), ", is kept as ", Quote(kept)));
    if (kept.size() > 1000) refuse(Cat("column ", i + 1, " has a name of ", FormatBytes(kept.size())));
    if (!seen.insert(kept).second) refuse(Cat("two columns are named ", Quote(kept)));
    columns.push_back({Escaped(kept)});
  }
  return columns;
}

void SetTypes(const ReaderInput& input, ImportSink& sink, std::vector<Column>* columns,
              const std::vector<TypeVote>& votes) {
  const auto& wanted = input.request.types;
  std::vector<std::string> names, detected;
  for (size_t i = 0; i < columns->size(); ++i) {
    Column& column = (*columns)[i];
    const std::string name = PlainText(Cat("\"", column.key, "\""));
    names.push_back(name);
    auto at = wanted.find(name);
    if (at == wanted.end()) at = wanted.find("*");
    if (at != wanted.end()) {
      column.number = at->second == "number";
    } else if (i < votes.size() && votes[i].Number(name)) {
      column.number = true;
      detected.push_back(name);
    }
  }
  for (const auto& [name, type] : wanted) {
    if (type != "text" && type != "number") {
      throw Error(Code::kUsage, Cat("--type ", name, "=", type, ": a column is text or number"));
    }
    if (name != "*" && std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string near = Nearest(name, names);
      throw Error(Code::kUsage, Cat("--type: ", input.path, " has no column ", Quote(name)),
                  near.empty() ? Cat("it has: ", Join(names, ", ")) : Cat("did you mean '", near, "'?"));
    }
  }
  if (!detected.empty()) {
    sink.Note(Cat("read as numbers: ", Join(detected, ", "), " (--type NAME=text keeps a column as text)"));
  }
}

}  // namespace

void ReadCsvSource(const ReaderInput& input, ImportSink& sink) {
  TextStream stream(input, sink);
  std::string text;
  bool more = true;
  while (more && text.size() < kHead) more = stream.Fill(&text);
  CsvLimits limits;
  limits.cell_bytes = input.request.most_cell_bytes;
  limits.columns = kMostColumns;
  char delimiter = DelimiterOf(input.request.delimiter);
  size_t at = 0;
  const std::string_view head = std::string_view(text).substr(0, kHead);
  const CsvDialect dialect = FindDialect(head);
  if (delimiter == 0) {
    delimiter = dialect.delimiter;
    // A name that says so decides where the rows do not.
    if (ToLowerAscii(input.path).ends_with(".tsv") && head.find('\t') != std::string_view::npos) delimiter = '\t';
  }
  at = dialect.skip;
  const size_t skipped = at > 0 ? 1 : 0;
  CsvScanner scanner(delimiter, limits);

  // Header and types: the head is scanned by itself first.
  std::vector<Column> columns;
  {
    CsvScanner first(delimiter, limits);
    size_t here = at;
    std::vector<TypeVote> votes;
    size_t rows = 0;
    for (auto step = first.Next(head, !more && head.size() == text.size(), &here); rows < kTypeRows;
         step = first.Next(head, !more && head.size() == text.size(), &here)) {
      if (step == CsvScanner::Step::kEnd || step == CsvScanner::Step::kMore) break;
      if (step == CsvScanner::Step::kDefect) {
        if (columns.empty()) {
          throw Error(Code::kInvalidInput,
                      Cat(input.path, ":", first.defect().line + skipped, ": ", first.defect().reason),
                      first.defect().hint);
        }
        continue;
      }
      if (BlankRow(first.cells())) continue;
      if (columns.empty()) {
        columns = ReadHeader(input, sink, first.cells(), first.line() + skipped);
        votes.resize(columns.size());
        if (input.request.header) continue;
      }
      if (first.cells().size() != columns.size()) continue;
      ++rows;
      for (size_t i = 0; i < columns.size(); ++i) votes[i].Add(Trim(first.cells()[i]));
    }
    if (columns.empty() && first.defect().line > 0) {
      throw Error(Code::kInvalidInput, Cat(input.path, ":", first.defect().line + skipped, ": ", first.defect().reason),
                  first.defect().hint);
    }
    if (columns.empty()) {
      throw Error(Code::kInvalidInput, Cat(input.path, ": no header row"),
                  text.empty() ? "the file is empty" : "the first row names the columns");
    }
    SetTypes(input, sink, &columns, votes);
  }

  bool header_pending = input.request.header;
  while (true) {
    // Whole blocks are checked at once; only where one is bad are its rows checked one by one.
    // A character that the block's end cuts belongs to a row that is not whole yet.
    const size_t wrong = FirstInvalidUtf8(text);
    const bool suspicious = (wrong != std::string_view::npos && !(more && wrong + 3 >= text.size())) ||
                            text.find('\0') != std::string::npos;
    while (true) {
      const size_t begin = at;
      const CsvScanner::Step step = scanner.Next(text, !more, &at);
      if (step == CsvScanner::Step::kMore || step == CsvScanner::Step::kEnd) break;
      if (step == CsvScanner::Step::kDefect) {
        const CsvDefect& defect = scanner.defect();
        sink.Reject(defect.line + skipped, defect.column, defect.reason,
                    std::string_view(text).substr(begin, at - begin));
        continue;
      }
      const std::vector<std::string_view>& cells = scanner.cells();
      if (BlankRow(cells)) continue;
      if (std::exchange(header_pending, false)) continue;
      const std::string_view row = std::string_view(text).substr(begin, at - begin);
      const size_t line = scanner.line() + skipped;
      if (cells.size() != columns.size()) {
        sink.Reject(line, 0, Cat("a row of ", cells.size(), " cells where the header has ", columns.size()), row);
        continue;
      }
      if (suspicious) {
        if (const size_t bad = FirstInvalidUtf8(row); bad != std::string_view::npos) {
          sink.Reject(line, bad + 1, "bytes that do not decode", row);
          continue;
        }
        if (const size_t nul = row.find('\0'); nul != std::string_view::npos) {
          sink.Reject(line, nul + 1, "a NUL byte", row);
          continue;
        }
      }
      LineBuilder& record = sink.record();
      for (size_t i = 0; i < cells.size(); ++i) {
        record.Key(columns[i].key);
        if (columns[i].number) {
          const std::string_view trimmed = Trim(cells[i]);
          if (trimmed.empty()) {
            record.Json("null");
            continue;
          }
          if (PlainNumber(trimmed)) {
            record.Json(trimmed);
            continue;
          }
        }
        record.Text(cells[i]);
      }
      sink.Done(line);
    }
    if (!more) break;
    text.erase(0, at);
    at = 0;
    // A long row is read on in ever larger steps, so that looking for its end stays linear.
    const size_t wanted = text.size() * 2;
    do {
      more = stream.Fill(&text);
    } while (more && text.size() < wanted);
  }
}

}  // namespace atelier::data
