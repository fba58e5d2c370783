#include "app/atelier/text_table.h"

#include <algorithm>

#include "text/unicode.h"

namespace atelier::app {
namespace {

// Numbers and sizes: "272", "93.8 MiB".
bool IsNumeric(const std::string& cell) { return !cell.empty() && cell[0] >= '0' && cell[0] <= '9'; }

}  // namespace

TextTable::TextTable(std::vector<std::string> header) { rows_.push_back(std::move(header)); }

void TextTable::Add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = text::ForTerminal(cell);
  rows_.push_back(std::move(cells));
}

std::string TextTable::Text() const {
  const size_t columns = rows_[0].size();
  std::vector<int> widths(columns, 0);
  std::vector<bool> right(columns, rows_.size() > 1);
  for (size_t r = 0; r < rows_.size(); ++r) {
    for (size_t c = 0; c < columns && c < rows_[r].size(); ++c) {
      widths[c] = std::max(widths[c], text::DisplayWidth(rows_[r][c]));
      if (r > 0 && !IsNumeric(rows_[r][c])) right[c] = false;
    }
  }
  std::string out;
  for (const std::vector<std::string>& row : rows_) {
    std::string line;
    for (size_t c = 0; c < columns && c < row.size(); ++c) {
      const std::string padding(static_cast<size_t>(widths[c] - text::DisplayWidth(row[c])), ' ');
      if (c > 0) line += "  ";
      line += right[c] ? padding + row[c] : row[c] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace atelier::app
