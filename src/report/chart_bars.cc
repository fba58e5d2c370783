#include <algorithm>

#include "base/str.h"
#include "report/chart_canvas.h"

namespace atelier::report {
namespace {

constexpr size_t kMostGroups = 60, kMostBarSeries = 12;

std::string Number(double value, int decimals) {
  if (std::abs(value) >= 1e9) return NumberLabel(value, 6);
  return ReplaceAll(FormatFixed(value, decimals), "-", "−");
}

bool HasInterval(const BarValue& bar) { return Drawable(bar.low) && Drawable(bar.high) && bar.low <= bar.high; }

}  // namespace

std::string Draw(const Bars& chart) {
  Canvas canvas(chart.frame);
  const size_t groups = std::min(chart.groups.size(), kMostGroups);
  const size_t series = std::clamp<size_t>(chart.series.size(), 1, kMostBarSeries);
  Range range;
  size_t left_out = 0;
  double name_room = 0, number_room = 0;
  for (size_t g = 0; g < groups; ++g) {
    const BarGroup& group = chart.groups[g];
    name_room = std::max(name_room, TextWidth(FitText(group.name, canvas.width() * 0.34, kFontSize), kFontSize));
    for (size_t s = 0; s < std::min(series, group.values.size()); ++s) {
      const BarValue& bar = group.values[s];
      if (!Drawable(bar.value)) {
        left_out += std::isnan(bar.value) ? 0 : 1;
        continue;
      }
      range.Add(bar.value);
      number_room = std::max(number_room, TextWidth(Number(bar.value, chart.decimals), 11));
      if (HasInterval(bar)) {
        range.Add(bar.low);
        range.Add(bar.high);
      }
    }
  }
  range.Add(0);
  if (chart.low && Drawable(*chart.low)) range.low = std::min(*chart.low, range.low);
  if (chart.high && Drawable(*chart.high)) range.high = std::max(*chart.high, range.high);
  if (range.low == 0 && range.high == 0) range.high = 1;  // 0 is no reason for an axis below it
  const Ticks ticks = NiceTicks(range.low, range.high, 6, chart.low.has_value() && *chart.low == range.low,
                                chart.high.has_value() && *chart.high == range.high);

  const double top = canvas.Header(
      chart.frame.title,
      {chart.series.begin(), chart.series.begin() + static_cast<std::ptrdiff_t>(std::min(series, chart.series.size()))},
      false);
  const double thick = series == 1 ? 16 : series == 2 ? 13 : 11.5, gap = 10;
  const double number_size = series > 2 ? 10 : 11;
  const double left = name_room + 12, right = canvas.width() - number_room - 18;
  const double tall = static_cast<double>(groups) * (thick * static_cast<double>(series) + gap) + gap;
  const Scale x(ticks.low, ticks.high, left, right);
  for (size_t i = 0; i < ticks.at.size(); ++i) {
    canvas.Grid(x(ticks.at[i]), top, x(ticks.at[i]), top + tall);
    canvas.Text(x(ticks.at[i]), top + tall + 16, ticks.labels[i], Anchor::kMiddle, Tone::kSoft);
  }
  std::string said;
  double y = top + gap;
  for (size_t g = 0; g < groups; ++g) {
    const BarGroup& group = chart.groups[g];
    canvas.Fitted(left - 8, y + thick * static_cast<double>(series) / 2 + 4, canvas.width() * 0.34, group.name,
                  Anchor::kEnd);
    for (size_t s = 0; s < std::min(series, group.values.size()); ++s, y += thick) {
      const BarValue& bar = group.values[s];
      if (!Drawable(bar.value)) {
        canvas.Text(x(0) + 5, y + thick / 2 + 3, "–", Anchor::kStart, Tone::kSoft, number_size);
        continue;
      }
      const std::string number = Number(bar.value, chart.decimals);
      std::string tip =
          Cat(FitText(group.name, 600, kFontSize), series > 1 ? Cat(", ", chart.series[s]) : "", ": ", number);
      const double from = std::min(x(0), x(bar.value)), to = std::max(x(0), x(bar.value));
      double end = to;
      if (HasInterval(bar)) {
        tip += Cat(" [", Number(bar.low, chart.decimals), ", ", Number(bar.high, chart.decimals), "]");
      }
      canvas.Box(from, y, to - from, thick - 1.5, s, 1, tip);
      if (HasInterval(bar)) {
        const double middle = y + (thick - 1.5) / 2, low = x(bar.low), high = x(bar.high), cap = thick * 0.22;
        canvas.Mark(low, middle, high, middle);
        canvas.Mark(low, middle - cap, low, middle + cap);
        canvas.Mark(high, middle - cap, high, middle + cap);
        end = std::max(end, high);
      }
      canvas.Text(end + 5, y + thick / 2 + 3, number, Anchor::kStart, Tone::kInk, number_size);
      if (said.size() < 1500) said += Cat(said.empty() ? "" : "; ", tip);
    }
    if (group.values.size() < series) y += thick * static_cast<double>(series - group.values.size());
    y += gap;
  }
  canvas.Axis(x(0), top, x(0), top + tall);
  double height = top + tall + 20;
  if (!chart.frame.x.empty()) {
    height += 18;
    canvas.Fitted((left + right) / 2, height - 3, right - left, chart.frame.x, Anchor::kMiddle, Tone::kSoft);
  }
  if (chart.groups.size() > groups || chart.series.size() > series) {
    canvas.Note(canvas.chinese()
                    ? Cat("只画出前 ", groups, " 组（共 ", chart.groups.size(), " 组），每组前 ", series, " 项")
                    : Cat("the first ", groups, " of ", chart.groups.size(), " groups, of each the first ", series));
  }
  canvas.NoteLeftOut(left_out);
  return canvas.Finish(height, said);
}

}  // namespace atelier::report
