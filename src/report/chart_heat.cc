#include <algorithm>

#include "base/str.h"
#include "report/chart_canvas.h"

namespace atelier::report {
namespace {

constexpr size_t kMostCells = 100;

double Widest(const std::vector<std::string>& names, size_t count, double most, double size) {
  double widest = 0;
  for (size_t i = 0; i < count; ++i) widest = std::max(widest, TextWidth(FitText(names[i], most, size), size));
  return widest;
}

// White space has no look of its own.
std::string Visible(const std::string& name) {
  std::string out = ReplaceAll(ReplaceAll(name, " ", "␣"), "\n", "↵");
  return out.empty() ? "∅" : out;
}

}  // namespace

std::string Draw(const HeatMap& chart) {
  Canvas canvas(chart.frame);
  const double top = canvas.Header(chart.frame.title, {}, false);
  std::vector<std::string> row_names, column_names;
  for (const std::string& name : chart.rows) row_names.push_back(Visible(name));
  for (const std::string& name : chart.columns) column_names.push_back(Visible(name));
  const size_t rows = std::min(kMostCells, row_names.size()), columns = std::min(kMostCells, column_names.size());
  if (rows == 0 || columns == 0 || chart.values.size() != row_names.size() * column_names.size()) {
    canvas.Note(canvas.chinese() ? "没有数据" : "nothing to draw");
    return canvas.Finish(top, "");
  }
  const double most = canvas.width() * 0.25;
  const double title = TextWidth(FitText(chart.frame.y, most, kFontSize), kFontSize);
  const double left = std::max(Widest(row_names, rows, most, kFontSize), title) + 14;
  const double cell = std::min(36.0, (canvas.width() - left - 8) / static_cast<double>(columns));
  const double tall = std::clamp(cell, 12.0, 22.0), size = std::min(kFontSize, std::max(5.0, cell - 1));
  const double column_room = std::min(Widest(column_names, columns, 110, size), 110.0) + 10;
  const double grid_top = top + 20 + column_room;
  canvas.Fitted(left, top + 12, canvas.width() - left, chart.frame.x, Anchor::kStart, Tone::kSoft);
  canvas.Fitted(left - 8, grid_top - 8, most, chart.frame.y, Anchor::kEnd, Tone::kSoft);
  for (size_t j = 0; j < columns; ++j) {
    const double x = left + cell * (static_cast<double>(j) + 0.5);
    canvas.Upward(x + size * 0.35, grid_top - 6, column_room - 8, column_names[j], size);
  }
  size_t left_out = 0;
  std::string said;
  for (size_t i = 0; i < rows; ++i) {
    const double y = grid_top + tall * static_cast<double>(i);
    canvas.Fitted(left - 8, y + tall / 2 + 4, most, row_names[i], Anchor::kEnd, Tone::kInk,
                  std::min(kFontSize, tall - 1));
    size_t best = columns;
    double largest = 0;
    for (size_t j = 0; j < columns; ++j) {
      const double value = chart.values[i * column_names.size() + j];
      if (!std::isfinite(value)) {
        ++left_out;
        continue;
      }
      const double shade = std::clamp(value, 0.0, 1.0);
      if (best == columns || shade > largest) {
        best = j;
        largest = shade;
      }
      canvas.Cell(left + cell * static_cast<double>(j) + 0.5, y + 0.5, cell - 1, tall - 1, 0.03 + 0.97 * shade,
                  Cat(FitText(row_names[i], 300, kFontSize), " → ", FitText(column_names[j], 300, kFontSize), ": ",
                      FormatFixed(value, 3)));
    }
    if (best < columns && said.size() < 1500) {
      said += Cat(said.empty() ? "" : "; ", FitText(row_names[i], 300, kFontSize), " → ",
                  FitText(column_names[best], 300, kFontSize), " ", FormatFixed(largest, 2));
    }
  }
  if (rows < row_names.size() || columns < column_names.size()) {
    canvas.Note(canvas.chinese() ? Cat("只画出前 ", rows, " 行（共 ", row_names.size(), "）与前 ", columns, " 列（共 ",
                                       column_names.size(), "）")
                                 : Cat("the first ", rows, " of ", row_names.size(), " rows and ", columns, " of ",
                                       column_names.size(), " columns"));
  }
  canvas.NoteLeftOut(left_out);
  return canvas.Finish(grid_top + tall * static_cast<double>(rows) + 6, said);
}

}  // namespace atelier::report
