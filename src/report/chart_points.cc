#include <algorithm>

#include "base/str.h"
#include "report/chart_canvas.h"

namespace atelier::report {
namespace {

constexpr size_t kMostDots = 3000, kMostDotSeries = 7, kTrendParts = 12;
constexpr double kCell = 8;  // pixels

// Means of parts that hold equally many points, in the order of x; points of one x stay in one part.
std::vector<Point> Trend(std::vector<Point> points) {
  std::stable_sort(points.begin(), points.end(),
                   [](const Point& a, const Point& b) { return a.x < b.x || (a.x == b.x && a.y < b.y); });
  const size_t parts = std::clamp<size_t>(points.size() / 5, 1, kTrendParts);
  std::vector<Point> means;
  size_t begin = 0;
  for (size_t part = 1; part <= parts && begin < points.size(); ++part) {
    size_t end = std::max(begin + 1, points.size() * part / parts);
    while (end < points.size() && points[end].x == points[end - 1].x) ++end;
    Point mean{0, 0};
    const auto n = static_cast<double>(end - begin);
    for (size_t i = begin; i < end; ++i) {
      mean.x += points[i].x / n;
      mean.y += points[i].y / n;
    }
    means.push_back(mean);
    begin = end;
  }
  return means;
}

void DrawCells(Canvas* canvas, const std::vector<Point>& points, size_t series, const Plot& plot) {
  const auto columns = static_cast<size_t>((plot.right - plot.left) / kCell) + 1;
  const auto rows = static_cast<size_t>((plot.bottom - plot.top) / kCell) + 1;
  std::vector<size_t> cells(columns * rows);
  size_t most = 0;
  for (const Point& point : points) {
    const auto column = static_cast<size_t>((plot.x(point.x) - plot.left) / kCell);
    const auto row = static_cast<size_t>((plot.y(point.y) - plot.top) / kCell);
    most = std::max(most, ++cells[row * columns + column]);
  }
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] == 0) continue;
    const double x = plot.left + static_cast<double>(i % columns) * kCell;
    const double y = plot.top + static_cast<double>(i / columns) * kCell;
    const double share = std::log1p(static_cast<double>(cells[i])) / std::log1p(static_cast<double>(most));
    canvas->Box(x, y, std::min(kCell, plot.right - x), std::min(kCell, plot.bottom - y), series, 0.1 + 0.6 * share,
                Cat(cells[i]));
  }
}

// Of counts: none stands at 2.5.
Ticks WholeTicks(size_t most) {
  const Ticks all = NiceTicks(0, static_cast<double>(most), 5, true);
  Ticks whole;
  whole.low = all.low;
  whole.high = all.high;
  for (size_t i = 0; i < all.at.size(); ++i) {
    if (std::abs(all.at[i] - std::round(all.at[i])) > 1e-9) continue;
    whole.at.push_back(all.at[i]);
    whole.labels.push_back(NumberLabel(std::round(all.at[i]), 6));
  }
  return whole;
}

std::vector<std::string> Names(const auto& series, size_t most) {
  std::vector<std::string> names;
  for (size_t s = 0; s < std::min(series.size(), most); ++s) names.push_back(series[s].name);
  return names;
}

}  // namespace

std::string Draw(const Scatter& chart) {
  Canvas canvas(chart.frame);
  std::vector<std::vector<Point>> drawn;
  Range x_range, y_range;
  size_t left_out = 0, all = 0;
  for (size_t s = 0; s < std::min(chart.series.size(), kMostDotSeries); ++s) {
    drawn.emplace_back();
    for (const Point& point : chart.series[s].points) {
      if (!Drawable(point.x) || !Drawable(point.y)) {
        ++left_out;
        continue;
      }
      drawn.back().push_back(point);
      x_range.Add(point.x);
      y_range.Add(point.y);
    }
    all += drawn.back().size();
  }
  if (x_range.empty) {
    x_range.Add(0);
    y_range.Add(0);
  }
  if (!chart.diagonal && y_range.low == 0 && y_range.high == 0) y_range.Add(1);  // scores of 0: none is below
  if (chart.diagonal) {                                                          // both axes alike
    const Range x = x_range;
    x_range.Add(y_range.low);
    x_range.Add(y_range.high);
    y_range.Add(x.low);
    y_range.Add(x.high);
  }
  const Ticks x_ticks = NiceTicks(x_range.low, x_range.high, 7), y_ticks = NiceTicks(y_range.low, y_range.high, 6);
  const double top = canvas.Header(chart.frame.title, Names(chart.series, kMostDotSeries), true);
  const Plot plot = DrawAxes(&canvas, chart.frame, top, chart.diagonal ? 0 : 260, x_ticks, y_ticks);
  if (chart.diagonal) {
    const double low = std::max(x_ticks.low, y_ticks.low), high = std::min(x_ticks.high, y_ticks.high);
    canvas.Dashed(plot.x(low), plot.y(low), plot.x(high), plot.y(high));
  }
  for (size_t s = 0; s < drawn.size(); ++s) {
    if (all > kMostDots) {
      DrawCells(&canvas, drawn[s], s, plot);
      continue;
    }
    for (const Point& point : drawn[s]) {
      canvas.Dot(plot.x(point.x), plot.y(point.y), 2.5, s, 0.45,
                 Cat(NumberLabel(point.x, 6), ", ", NumberLabel(point.y, 6)));
    }
  }
  for (size_t s = 0; s < drawn.size() && chart.trend; ++s) {
    if (drawn[s].size() < 5) continue;
    std::string path;
    const std::vector<Point> trend = Trend(drawn[s]);
    for (const Point& mean : trend) {
      path += Cat(path.empty() ? "M" : "L", Pixels(plot.x(mean.x)), " ", Pixels(plot.y(mean.y)));
    }
    if (trend.size() > 1) canvas.Line(path, s);
    for (const Point& mean : trend) {
      canvas.Dot(plot.x(mean.x), plot.y(mean.y), 4, s, 1, Cat(NumberLabel(mean.x, 4), ", ", NumberLabel(mean.y, 4)));
    }
  }
  if (chart.trend && all >= 5) {
    canvas.Note(canvas.chinese() ? "折线：按 x 等分各段的均值" : "line: means of equally large parts along x");
  }
  if (all > kMostDots) {
    canvas.Note(canvas.chinese() ? Cat("共 ", all, " 个点，以颜色深浅表示密度")
                                 : Cat(all, " points, drawn as density"));
  }
  canvas.NoteLeftOut(left_out);
  return canvas.Finish(plot.below, canvas.chinese() ? Cat(all, " 个点") : Cat(all, " points"));
}

std::string Draw(const Histogram& chart) {
  Canvas canvas(chart.frame);
  Range range;
  size_t left_out = 0, most_values = 0;
  bool whole = true;
  for (const HistogramSeries& series : chart.series) {
    size_t values = 0;
    for (const double value : series.values) {
      if (!Drawable(value)) {
        ++left_out;
        continue;
      }
      ++values;
      range.Add(value);
      whole = whole && value == std::floor(value);
    }
    most_values = std::max(most_values, values);
  }
  if (range.empty) range.Add(0);
  const bool fixed_low = chart.low && Drawable(*chart.low) && *chart.low <= range.low;
  const bool fixed_high = chart.high && Drawable(*chart.high) && *chart.high >= range.high;
  const Ticks x_ticks =
      NiceTicks(fixed_low ? *chart.low : range.low, fixed_high ? *chart.high : range.high, 7, fixed_low, fixed_high);
  // Sturges 1926, doubled since scores are seldom normal; borders at round numbers. Few whole numbers: one bin each.
  whole = whole && range.high - range.low < 40 && !fixed_low && !fixed_high;
  const double low = whole ? x_ticks.low - 0.5 : x_ticks.low;
  const double high = whole ? x_ticks.high + 0.5 : x_ticks.high;
  double step = 1;
  if (low == x_ticks.low) {
    const double wanted = std::clamp(std::log2(static_cast<double>(most_values) + 1) * 2, 8.0, 40.0);
    const Ticks borders = NiceTicks(low, high, static_cast<int>(std::ceil(wanted)) + 1);
    if (borders.at.size() > 1) step = borders.at[1] - borders.at[0];
  }
  const auto bins = static_cast<size_t>(std::clamp(std::ceil((high - low) / step - 1e-9), 1.0, 100.0));
  const double wide = (high - low) / static_cast<double>(bins);
  std::vector<std::vector<size_t>> counts;
  size_t most = 1;
  for (size_t s = 0; s < std::min(chart.series.size(), kMostDotSeries); ++s) {
    counts.emplace_back(bins);
    for (const double value : chart.series[s].values) {
      if (!Drawable(value)) continue;
      const double place = std::floor((value - low) / wide);
      const auto bin = static_cast<size_t>(std::clamp(place, 0.0, static_cast<double>(bins) - 1));
      most = std::max(most, ++counts[s][bin]);
    }
  }
  Ticks axis = x_ticks;
  axis.low = low;
  axis.high = high;
  const double top = canvas.Header(chart.frame.title, Names(chart.series, kMostDotSeries), true);
  const Plot plot = DrawAxes(&canvas, chart.frame, top, 180, axis, WholeTicks(most));
  const auto edge = [&](size_t bin) { return plot.x(low + wide * static_cast<double>(bin)); };
  for (size_t s = 0; s < counts.size(); ++s) {
    std::string path = Cat("M", Pixels(plot.left), " ", Pixels(plot.bottom));
    for (size_t bin = 0; bin < bins; ++bin) {
      const double y = plot.y(static_cast<double>(counts[s][bin]));
      if (counts.size() > 1) {
        path += Cat("L", Pixels(edge(bin)), " ", Pixels(y), "L", Pixels(edge(bin + 1)), " ", Pixels(y));
      } else if (counts[s][bin] > 0) {
        const double from = low + wide * static_cast<double>(bin);
        canvas.Box(edge(bin) + 0.5, y, std::max(0.5, edge(bin + 1) - edge(bin) - 1), plot.bottom - y, s, 1,
                   Cat(NumberLabel(from, 4), " – ", NumberLabel(from + wide, 4), ": ", counts[s][bin]));
      }
    }
    if (counts.size() > 1) canvas.Area(path + "L" + Pixels(plot.right) + " " + Pixels(plot.bottom) + "Z", s, 0.15);
    if (counts.size() > 1) canvas.Line(path + "L" + Pixels(plot.right) + " " + Pixels(plot.bottom), s);
  }
  canvas.NoteLeftOut(left_out);
  return canvas.Finish(plot.below, canvas.chinese()
                                       ? Cat("从 ", NumberLabel(range.low), " 到 ", NumberLabel(range.high))
                                       : Cat("from ", NumberLabel(range.low), " to ", NumberLabel(range.high)));
}

}  // namespace atelier::report
