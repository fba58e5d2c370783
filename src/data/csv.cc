#include "data/csv.h"

#include <map>

#include "base/error.h"
#include "base/str.h"

namespace atelier::data {
namespace {

class Reader {
 public:
  Reader(std::string_view text, const std::string& file, char delimiter, const CsvLimits& limits)
      : text_(text), file_(file), delimiter_(delimiter), limits_(limits) {}

  // False at the end of the text.
  bool Next(CsvRow* row) {
    row->cells.clear();
    if (at_ >= text_.size()) return false;
    row->line = line_;
    while (true) {
      row->cells.push_back(Cell());
      if (row->cells.size() > limits_.columns) {
        Refuse(row->line, Cat("more than ", limits_.columns, " columns"), "is the delimiter right?");
      }
      if (at_ < text_.size() && text_[at_] == delimiter_) {
        ++at_;
        continue;
      }
      EndLine();
      return true;
    }
  }

  [[noreturn]] void Refuse(size_t line, std::string_view why, std::string hint) const {
    throw Error(Code::kInvalidInput, Cat(file_, ":", line, ": ", why), std::move(hint));
  }

 private:
  std::string Cell() {
    if (at_ < text_.size() && text_[at_] == '"') return Quoted();
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
    CheckSize(at_ - begin, line_);
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string Quoted() {
    const size_t opened = line_;
    std::string out;
    ++at_;
    while (true) {
      if (at_ >= text_.size())
        Refuse(opened, "a quoted cell that never closes", "close it with \", or double the quotes inside");
      const char c = text_[at_];
      if (c == '"') {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
          out.push_back('"');
          at_ += 2;
          continue;
        }
        ++at_;
        break;
      }
      if (c == '\n' || (c == '\r' && !(at_ + 1 < text_.size() && text_[at_ + 1] == '\n'))) ++line_;
      out.push_back(c);
      CheckSize(out.size(), opened);
      ++at_;
    }
    if (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '\n' && text_[at_] != '\r') {
      Refuse(line_, Cat("text after a closing quote: ", Quote(text_.substr(at_, 20))),
             "double the quotes inside a quoted cell");
    }
    return out;
  }

  void EndLine() {
    if (at_ >= text_.size()) return;
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_;
    ++line_;
  }

  void CheckSize(size_t size, size_t line) const {
    if (size > limits_.cell_bytes) {
      Refuse(line, Cat("a cell of more than ", FormatBytes(limits_.cell_bytes)), "is a quote left open?");
    }
  }

  std::string_view text_;
  const std::string& file_;
  char delimiter_;
  const CsvLimits& limits_;
  size_t at_ = 0, line_ = 1;
};

bool Blank(const CsvRow& row) { return row.cells.size() == 1 && Trim(row.cells[0]).empty(); }

// The candidate that splits the first line that has text into most cells; comma when none occurs.
char FindDelimiter(std::string_view text) {
  constexpr std::string_view kCandidates = ",;\t|";
  size_t counts[4] = {};
  bool quoted = false;
  bool seen = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) {
      seen = true;
      continue;
    }
    if (c == '\n' || c == '\r') {
      if (seen) break;
      continue;
    }
    seen = seen || (c != ' ' && c != '\t');
    if (const size_t which = kCandidates.find(c); which != std::string_view::npos) ++counts[which];
  }
  size_t best = 0;
  for (size_t i = 1; i < 4; ++i) {
    if (counts[i] > counts[best]) best = i;
  }
  return kCandidates[best];
}

}  // namespace

CsvTable ParseCsv(std::string_view text, const std::string& file, char delimiter, const CsvLimits& limits) {
  CsvTable table;
  table.delimiter = delimiter != 0 ? delimiter : FindDelimiter(text);
  Reader reader(text, file, table.delimiter, limits);
  CsvRow row;
  do {
    if (!reader.Next(&row))
      throw Error(Code::kInvalidInput, Cat(file, ": no header row"), "the first row names the columns");
  } while (Blank(row));
  std::map<std::string, size_t> seen;
  for (size_t i = 0; i < row.cells.size(); ++i) {
    std::string name(Trim(row.cells[i]));
    if (name.empty())
      reader.Refuse(row.line, Cat("column ", i + 1, " has no name"), "name every column in the first row");
    const auto [at, fresh] = seen.emplace(name, i + 1);
    if (!fresh) {
      reader.Refuse(row.line, Cat("columns ", at->second, " and ", i + 1, " are both named ", Quote(name)),
                    "rename one");
    }
    table.header.push_back(std::move(name));
  }
  while (reader.Next(&row)) {
    if (Blank(row)) continue;
    if (row.cells.size() != table.header.size()) {
      reader.Refuse(row.line, Cat("a row of ", row.cells.size(), " cells where the header has ", table.header.size()),
                    "put cells that hold the delimiter or line breaks in quotes");
    }
    if (table.rows.size() >= limits.rows)
      reader.Refuse(row.line, Cat("more than ", limits.rows, " rows"), "split the file");
    table.rows.push_back(row);
  }
  return table;
}

}  // namespace atelier::data
