#include <algorithm>
#include <numeric>

#include "base/str.h"
#include "report/chart_canvas.h"

namespace atelier::report {
namespace {

constexpr size_t kMostClasses = 40, kMostWithCounts = 25, kMostWithShares = 12;

// What is drawn of a matrix: all of it, or its largest classes and the sum of the others.
struct ShownClasses {
  std::vector<std::string> names;
  std::vector<int64_t> counts;
  size_t added_up = 0;
};

ShownClasses Choose(const ConfusionMatrix& chart, bool chinese) {
  const size_t n = chart.classes.size();
  if (n <= kMostClasses) return {chart.classes, chart.counts, 0};
  std::vector<int64_t> cases(n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) cases[i] += chart.counts[i * n + j];
  }
  std::vector<size_t> order(n), place(n, kMostClasses - 1);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return cases[a] > cases[b]; });
  order.resize(kMostClasses - 1);
  std::sort(order.begin(), order.end());
  ShownClasses shown;
  for (size_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    shown.names.push_back(chart.classes[order[i]]);
  }
  shown.added_up = n - order.size();
  shown.names.push_back(chinese ? Cat("其余 ", shown.added_up, " 类") : Cat(shown.added_up, " others"));
  shown.counts.resize(kMostClasses * kMostClasses);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) shown.counts[place[i] * kMostClasses + place[j]] += chart.counts[i * n + j];
  }
  return shown;
}

}  // namespace

std::string Draw(const ConfusionMatrix& chart) {
  Canvas canvas(chart.frame);
  const ShownClasses shown = Choose(chart, canvas.chinese());
  const size_t n = shown.names.size();
  const double top = canvas.Header(chart.frame.title, {}, false);
  if (n == 0) return canvas.Finish(top, "");
  double name_room = 0;
  for (const std::string& name : shown.names) {
    name_room = std::max(name_room, TextWidth(FitText(name, canvas.width() * 0.25, kFontSize), kFontSize));
  }
  name_room = std::max(name_room, TextWidth(FitText(chart.frame.y, canvas.width() * 0.25, kFontSize), kFontSize));
  const double left = name_room + 14;
  const double cell = std::min(64.0, (canvas.width() - left - 8) / static_cast<double>(n));
  const double tall = std::min(cell, 44.0), size = cell < 18 ? 9 : kFontSize;
  // Names of columns: along the row where they fit, else upward.
  double widest = 0;
  for (const std::string& name : shown.names) widest = std::max(widest, TextWidth(name, size));
  const bool upward = widest > cell - 4;
  const double column_room = upward ? std::min(widest, 110.0) + 10 : 20;
  const double grid_top = top + 20 + column_room;
  canvas.Fitted(left + cell * static_cast<double>(n) / 2, top + 12, canvas.width() - left, chart.frame.x,
                Anchor::kMiddle, Tone::kSoft);
  canvas.Fitted(left - 8, grid_top - 8, canvas.width() * 0.25, chart.frame.y, Anchor::kEnd, Tone::kSoft);
  std::string said;
  for (size_t j = 0; j < n; ++j) {
    const double x = left + cell * (static_cast<double>(j) + 0.5);
    if (upward) {
      canvas.Upward(x + size * 0.35, grid_top - 6, column_room - 10, shown.names[j], size);
    } else {
      canvas.Fitted(x, grid_top - 8, cell, shown.names[j], Anchor::kMiddle);
    }
  }
  for (size_t i = 0; i < n; ++i) {
    const double y = grid_top + tall * static_cast<double>(i);
    canvas.Fitted(left - 8, y + tall / 2 + size * 0.35, canvas.width() * 0.25, shown.names[i], Anchor::kEnd, Tone::kInk,
                  size);
    int64_t cases = 0;
    for (size_t j = 0; j < n; ++j) cases += shown.counts[i * n + j];
    for (size_t j = 0; j < n; ++j) {
      const int64_t count = shown.counts[i * n + j];
      const double share = cases > 0 ? static_cast<double>(count) / static_cast<double>(cases) : 0;
      const double x = left + cell * static_cast<double>(j), middle = x + cell / 2;
      const std::string percent = Cat(FormatFixed(100 * share, share > 0 && share < 0.0995 ? 1 : 0), " %");
      const std::string tip = Cat(FitText(shown.names[i], 300, kFontSize), " → ",
                                  FitText(shown.names[j], 300, kFontSize), ": ", count, " (", percent, ")");
      // Something is seen where there is something.
      canvas.Cell(x + 0.5, y + 0.5, cell - 1, tall - 1, count == 0 ? 0.04 : 0.08 + 0.92 * share, tip);
      const Tone tone = share > 0.85 ? Tone::kOnDark : count == 0 ? Tone::kSoft : Tone::kInk;
      const std::string number = Cat(count);
      const double number_size = std::min({kFontSize, tall * 0.6, (cell - 3) / std::max(1.0, TextWidth(number, 1))});
      if (n <= kMostWithShares && cell >= 34) {
        canvas.Text(middle, y + tall / 2 - 1, number, Anchor::kMiddle, tone, number_size);
        if (cases > 0) canvas.Text(middle, y + tall / 2 + 13, percent, Anchor::kMiddle, tone, 9.5);
      } else if (n <= kMostWithCounts && count != 0 && number_size >= 5) {
        canvas.Text(middle, y + tall / 2 + 4, number, Anchor::kMiddle, tone, number_size);
      }
      if (i == j && said.size() < 1500) said += Cat(said.empty() ? "" : "; ", tip);
    }
  }
  canvas.Note(canvas.chinese() ? "颜色与百分比：占该行的比例" : "colour and per cent: the share of the row");
  if (shown.added_up > 0) {
    canvas.Note(canvas.chinese()
                    ? Cat("只画出样本最多的 ", n - 1, " 类，其余 ", shown.added_up, " 类合并")
                    : Cat("the ", n - 1, " classes with most cases; the other ", shown.added_up, " are added up"));
  }
  return canvas.Finish(grid_top + tall * static_cast<double>(n) + 6, said);
}

}  // namespace atelier::report
