#include "data/csv.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "base/error.h"
#include "base/str.h"
#include "data/scan.h"

namespace atelier::data {
namespace {

constexpr std::string_view kDelimiters = ",;\t|";
constexpr size_t kDialectRows = 50;

size_t BreaksIn(std::string_view cell) {
  size_t breaks = 0;
  for (size_t i = 0; i < cell.size(); ++i) {
    breaks += cell[i] == '\n' || (cell[i] == '\r' && !(i + 1 < cell.size() && cell[i + 1] == '\n'));
  }
  return breaks;
}

}  // namespace

CsvScanner::Step CsvScanner::SkipLine(std::string_view text, bool last, size_t* at) {
  const size_t end = FindOfThree(text, *at, '\n', '\r', '\n');
  if (end >= text.size() || (text[end] == '\r' && end + 1 == text.size() && !last)) {
    *at = end;  // what was passed over need not be kept
    if (!last) return Step::kMore;
    skipping_ = false;
    return Step::kDefect;
  }
  *at = end + (text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n' ? 2 : 1);
  ++line_;
  skipping_ = false;
  return Step::kDefect;
}

// `line` is the line of the byte `wrong`; reading goes on behind the line that holds the byte `from`, on line `line_`.
CsvScanner::Step CsvScanner::Defect(std::string_view text, bool last, size_t* at, size_t from, size_t line,
                                    size_t wrong, std::string reason, std::string hint) {
  size_t begin = wrong;
  while (begin > 0 && text[begin - 1] != '\n' && text[begin - 1] != '\r') --begin;
  defect_ = {line, wrong - begin + 1, std::move(reason), std::move(hint)};
  *at = from;
  skipping_ = true;
  return SkipLine(text, last, at);
}

CsvScanner::Step CsvScanner::Next(std::string_view text, bool last, size_t* at) {
  if (skipping_) return SkipLine(text, last, at);
  if (*at >= text.size()) return last ? Step::kEnd : Step::kMore;
  found_.clear();
  kept_.clear();
  row_line_ = line_;
  size_t here = *at, line = line_;
  const size_t row_begin = *at;
  const auto too_big = [&](size_t begin) {
    return Defect(text, last, at, row_begin, line_, begin, Cat("a cell of more than ", FormatBytes(limits_.cell_bytes)),
                  "is a quote left open?");
  };
  while (true) {
    const size_t begin = here;
    if (here < text.size() && text[here] == '"') {
      // Quoted: up to the quote that is not doubled.
      size_t copied = here + 1;
      const size_t kept_begin = kept_.size();
      bool kept = false;
      ++here;
      while (true) {
        const void* quote = here < text.size() ? std::memchr(text.data() + here, '"', text.size() - here) : nullptr;
        const size_t close =
            quote == nullptr ? text.size() : static_cast<size_t>(static_cast<const char*>(quote) - text.data());
        if (close - begin > limits_.cell_bytes + 1 && close - copied + kept_.size() - kept_begin > limits_.cell_bytes) {
          return too_big(begin);
        }
        if (quote == nullptr || (close + 1 == text.size() && !last)) {
          if (!last) return Step::kMore;
          if (quote == nullptr) {
            return Defect(text, last, at, row_begin, line, begin, "a quoted cell that never closes",
                          "close it with \", or double the quotes inside");
          }
        }
        if (close + 1 < text.size() && text[close + 1] == '"') {
          kept_.append(text, copied, close + 1 - copied);
          kept = true;
          here = copied = close + 2;
          continue;
        }
        if (kept) {
          kept_.append(text, copied, close - copied);
          found_.push_back({kept_begin, kept_.size() - kept_begin, true});
        } else {
          found_.push_back({begin + 1, close - begin - 1, false});
        }
        here = close + 1;
        break;
      }
      line += BreaksIn(text.substr(begin, here - begin));
      if (here < text.size() && text[here] != delimiter_ && text[here] != '\n' && text[here] != '\r') {
        line_ = line;  // go on behind this line
        return Defect(text, last, at, here, line, here,
                      Cat("text after a closing quote: ", Quote(text.substr(here, 20))),
                      "double the quotes inside a quoted cell");
      }
    } else {
      here = FindOfThree(text, here, delimiter_, '\n', '\r');
      if (here - begin > limits_.cell_bytes) return too_big(begin);
      found_.push_back({begin, here - begin, false});
    }
    if (here >= text.size()) {
      if (!last) return here - row_begin > limits_.row_bytes ? too_big(row_begin) : Step::kMore;
      break;
    }
    if (text[here] == delimiter_) {
      ++here;
      if (found_.size() >= limits_.columns) {
        return Defect(text, last, at, row_begin, row_line_, row_begin, Cat("more than ", limits_.columns, " columns"),
                      "is the delimiter right?");
      }
      continue;
    }
    if (text[here] == '\r') {
      if (here + 1 == text.size() && !last) return Step::kMore;  // is it CRLF?
      if (here + 1 < text.size() && text[here + 1] == '\n') ++here;
    }
    ++here;
    ++line;
    break;
  }
  cells_.clear();
  for (const Cell& cell : found_) {
    cells_.push_back(std::string_view(cell.kept ? std::string_view(kept_) : text).substr(cell.begin, cell.size));
  }
  line_ = line;
  *at = here;
  return Step::kRow;
}

bool BlankRow(const std::vector<std::string_view>& cells) { return cells.size() == 1 && Trim(cells[0]).empty(); }

CsvDialect FindDialect(std::string_view head) {
  CsvDialect best;
  if (head.size() >= 6 && head.starts_with("sep=") && (head[5] == '\n' || head[5] == '\r') && head[4] != '"') {
    best.delimiter = head[4];
    best.skip = head[5] == '\r' && head.size() > 6 && head[6] == '\n' ? 7 : 6;
    return best;
  }
  double best_score = 0;
  for (const char candidate : kDelimiters) {
    CsvScanner scanner(candidate, {});
    size_t at = 0, columns = 0, rows = 0, even = 0;
    for (auto step = scanner.Next(head, true, &at); step != CsvScanner::Step::kEnd && rows < kDialectRows;
         step = scanner.Next(head, true, &at)) {
      if (step != CsvScanner::Step::kRow) {
        ++rows;
        continue;
      }
      if (BlankRow(scanner.cells())) continue;
      if (columns == 0) columns = scanner.cells().size();
      ++rows;
      even += scanner.cells().size() == columns;
    }
    if (columns < 2) continue;
    // The last row may be cut by the head's end: one uneven row in many counts little, the header's width decides ties.
    const double score = static_cast<double>(even) / static_cast<double>(rows) + 1e-3 * static_cast<double>(columns);
    if (score > best_score) {
      best_score = score;
      best.delimiter = candidate;
    }
  }
  return best;
}

CsvTable ParseCsv(std::string_view text, const std::string& file, char delimiter, const CsvLimits& limits) {
  CsvTable table;
  size_t at = 0;
  table.delimiter = delimiter;
  if (delimiter == 0) {
    const CsvDialect dialect = FindDialect(text);
    table.delimiter = dialect.delimiter;
    at = dialect.skip;
  }
  CsvScanner scanner(table.delimiter, limits);
  const size_t skipped_lines = at > 0 ? 1 : 0;
  const auto refuse = [&](size_t line, std::string_view why, std::string hint) {
    throw Error(Code::kInvalidInput, Cat(file, ":", line + skipped_lines, ": ", why), std::move(hint));
  };
  // False at the end; blank rows are passed over.
  const auto next = [&] {
    while (true) {
      const CsvScanner::Step step = scanner.Next(text, true, &at);
      if (step == CsvScanner::Step::kEnd) return false;
      if (step == CsvScanner::Step::kDefect) {
        refuse(scanner.defect().line, scanner.defect().reason, scanner.defect().hint);
      }
      if (!BlankRow(scanner.cells())) return true;
    }
  };
  if (!next()) throw Error(Code::kInvalidInput, Cat(file, ": no header row"), "the first row names the columns");
  std::map<std::string, size_t> seen;
  for (size_t i = 0; i < scanner.cells().size(); ++i) {
    std::string name(Trim(scanner.cells()[i]));
    if (name.empty()) {
      refuse(scanner.line(), Cat("column ", i + 1, " has no name"), "name every column in the first row");
    }
    const auto [where, fresh] = seen.emplace(name, i + 1);
    if (!fresh) {
      refuse(scanner.line(), Cat("columns ", where->second, " and ", i + 1, " are both named ", Quote(name)),
             "rename one");
    }
    table.header.push_back(std::move(name));
  }
  while (next()) {
    const auto& cells = scanner.cells();
    if (cells.size() != table.header.size()) {
      refuse(scanner.line(), Cat("a row of ", cells.size(), " cells where the header has ", table.header.size()),
             "put cells that hold the delimiter or line breaks in quotes");
    }
    if (table.rows.size() >= limits.rows)
      refuse(scanner.line(), Cat("more than ", limits.rows, " rows"), "split the file");
    CsvRow& row = table.rows.emplace_back();
    row.line = scanner.line() + skipped_lines;
    row.cells.assign(cells.begin(), cells.end());
  }
  return table;
}

}  // namespace atelier::data
