#include "evaluate/value_lines.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/str.h"
#include "evaluate/line_file.h"

namespace atelier::evaluate {
namespace {

[[noreturn]] void Fail(const std::string& file, size_t line, const std::string& reason, const std::string& hint) {
  throw Error(Code::kInvalidInput, Cat(file, ":", line, ": ", reason), hint);
}

double Number(std::string_view word, const std::string& file, size_t line) {
  std::string_view plain = word;
  if (plain.starts_with('+')) plain.remove_prefix(1);
  const std::optional<double> value = ParseDouble(plain);
  if (value) return *value;
  const std::string lower = ToLowerAscii(word);
  const bool unfinished = lower.find("nan") != std::string::npos || lower.find("inf") != std::string::npos;
  Fail(file, line, Cat(Quote(word), unfinished ? " is no finite number" : " is no number"),
       "every line must hold finite numbers, such as 0.25");
}

}  // namespace

std::vector<std::string_view> LabelLines(std::string_view text, const std::string& file) {
  std::vector<std::string_view> lines = SplitLines(text, file);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].ends_with('\r')) lines[i].remove_suffix(1);
    if (Trim(lines[i]).empty()) Fail(file, i + 1, "holds no label", "every line must hold one");
  }
  return lines;
}

std::vector<double> NumberLines(std::string_view text, const std::string& file) {
  std::vector<double> values;
  for (const std::string_view line : SplitLines(text, file)) {
    values.push_back(Number(Trim(line), file, values.size() + 1));
  }
  return values;
}

std::vector<std::vector<double>> NumberRows(std::string_view text, const std::string& file) {
  constexpr std::string_view kBetween = " \t,\v\f\r";
  std::vector<std::vector<double>> rows;
  for (const std::string_view line : SplitLines(text, file)) {
    std::vector<double> row;
    for (size_t at = line.find_first_not_of(kBetween); at != std::string_view::npos;) {
      const size_t end = std::min(line.find_first_of(kBetween, at), line.size());
      row.push_back(Number(line.substr(at, end - at), file, rows.size() + 1));
      at = line.find_first_not_of(kBetween, end);
    }
    if (row.empty()) Fail(file, rows.size() + 1, "holds no number", "every line must hold at least one");
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace atelier::evaluate
