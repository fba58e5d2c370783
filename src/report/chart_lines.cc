#include <algorithm>
#include <array>

#include "base/str.h"
#include "report/chart_canvas.h"

namespace atelier::report {
namespace {

constexpr size_t kMostSeries = 12;
bool Shown(const Point& point) { return Drawable(point.x) && Drawable(point.y); }
bool Banded(const Point& point) { return Shown(point) && Drawable(point.low) && Drawable(point.high); }

std::string At(const char* command, double x, double y) { return Cat(command, Pixels(x), " ", Pixels(y)); }

// The line of a series; it breaks where a point is missing. Of the points that follow each other within half a pixel of
// width only the first, the lowest, the highest and the last are drawn: what the eye could tell apart.
std::string Path(const LineSeries& series, const Plot& plot) {
  std::string path;
  double last_y = 0;
  bool on = false;
  const auto go = [&](const Point& point) {
    const double x = plot.x(point.x), y = plot.y(point.y);
    if (on && series.steps) path += At("L", x, last_y);
    path += At(on ? "L" : "M", x, y);
    on = true;
    last_y = y;
  };
  const std::vector<Point>& points = series.points;
  const auto column = [&](size_t i) { return std::floor(plot.x(points[i].x) * 2); };
  for (size_t begin = 0, end = 0; begin < points.size(); begin = end) {
    end = begin + 1;
    if (!Shown(points[begin])) {
      on = false;
      continue;
    }
    std::array<size_t, 4> kept = {begin, begin, begin, begin};
    for (; end < points.size() && Shown(points[end]) && column(end) == column(begin); ++end) {
      if (points[end].y < points[kept[1]].y) kept[1] = end;
      if (points[end].y > points[kept[2]].y) kept[2] = end;
      kept[3] = end;
    }
    std::sort(kept.begin(), kept.end());
    for (size_t k = 0; k < kept.size(); ++k) {
      if (k == 0 || kept[k] != kept[k - 1]) go(points[kept[k]]);
    }
  }
  return path;
}

// The bands of a series: there along the upper ends, back along the lower.
std::string Band(const LineSeries& series, const Plot& plot) {
  std::string path;
  for (size_t begin = 0, end = 0; begin < series.points.size(); begin = end + 1) {
    for (end = begin; end < series.points.size() && Banded(series.points[end]); ++end) {
      path += At(end == begin ? "M" : "L", plot.x(series.points[end].x), plot.y(series.points[end].high));
    }
    for (size_t i = end; i-- > begin;) path += At("L", plot.x(series.points[i].x), plot.y(series.points[i].low));
    if (end > begin) path += "Z";
  }
  return path;
}

// Runs by their names; where there are many, those that DrawAxes finds room for.
Ticks NameTicks(const std::vector<std::string>& names) {
  Ticks ticks;
  ticks.low = -0.5;
  ticks.high = static_cast<double>(names.size()) - 0.5;
  const size_t step = std::max<size_t>(1, (names.size() + 39) / 40);
  for (size_t i = 0; i < names.size(); i += step) {
    ticks.at.push_back(static_cast<double>(i));
    ticks.labels.push_back(names[i]);
  }
  return ticks;
}

Ticks AxisTicks(Range range, const std::optional<double>& low, const std::optional<double>& high, int wanted) {
  const bool has_low = low.has_value() && Drawable(*low), has_high = high.has_value() && Drawable(*high);
  if (has_low) range.Add(*low);
  if (has_high) range.Add(*high);
  if (range.empty) range.Add(0);
  return NiceTicks(range.low, range.high, wanted, has_low && range.low == *low, has_high && range.high == *high);
}

}  // namespace

std::string Draw(const Lines& chart) {
  Canvas canvas(chart.frame);
  const size_t count = std::min(chart.series.size(), kMostSeries);
  Range x_range, y_range;
  std::vector<std::string> legend;
  std::string said;
  size_t left_out = 0;
  for (size_t s = 0; s < count; ++s) {
    const LineSeries& series = chart.series[s];
    legend.push_back(series.name);
    const Point* last = nullptr;
    for (const Point& point : series.points) {
      if (!Shown(point)) {
        left_out += !std::isnan(point.y) || !Drawable(point.x);
        continue;
      }
      last = &point;
      x_range.Add(point.x);
      y_range.Add(point.y);
      if (!Banded(point)) continue;
      y_range.Add(point.low);
      y_range.Add(point.high);
    }
    said += Cat(said.empty() ? "" : "; ", FitText(series.name, 600, kFontSize));
    if (last != nullptr && !chart.diagonal) said += Cat(": ", NumberLabel(last->y));
  }
  if (chart.level) y_range.Add(*chart.level);
  const Ticks x_ticks = !chart.names.empty()          ? NameTicks(chart.names)
                        : chart.x_low || chart.x_high ? AxisTicks(x_range, chart.x_low, chart.x_high, 6)
                                                      : AxisTicks(x_range, x_range.low, x_range.high, 7);
  const Ticks y_ticks = AxisTicks(y_range, chart.y_low, chart.y_high, 6);
  const double top = canvas.Header(chart.frame.title, legend, true);
  if (count == 1 && chart.frame.title.empty()) canvas.Fitted(2, top + 8, canvas.width() - 4, legend[0]);
  const Plot plot = DrawAxes(&canvas, chart.frame, top, chart.square ? 0 : 240, x_ticks, y_ticks);
  if (chart.diagonal) {
    const double low = std::max(x_ticks.low, y_ticks.low), high = std::min(x_ticks.high, y_ticks.high);
    if (low < high) canvas.Dashed(plot.x(low), plot.y(low), plot.x(high), plot.y(high));
  }
  if (chart.level && Drawable(*chart.level)) {
    canvas.Dashed(plot.left, plot.y(*chart.level), plot.right, plot.y(*chart.level));
  }
  for (size_t s = 0; s < count; ++s) {
    if (const std::string band = Band(chart.series[s], plot); !band.empty()) canvas.Area(band, s, 0.18);
  }
  for (size_t s = 0; s < count; ++s) {
    const LineSeries& series = chart.series[s];
    if (const std::string path = Path(series, plot); !path.empty()) canvas.Line(path, s);
    const bool dots = chart.markers || series.points.size() == 1;
    for (size_t i = 0; dots && i < series.points.size() && i < 2000; ++i) {
      const Point& point = series.points[i];
      if (!Shown(point)) continue;
      const auto place = static_cast<size_t>(std::max(0.0, std::min(point.x, 1e9)));
      const std::string where = place < chart.names.size() ? chart.names[place] : NumberLabel(point.x, 6);
      std::string tip = Cat(FitText(series.name, 600, kFontSize), ", ", where, ": ", NumberLabel(point.y, 6));
      if (Banded(point)) tip += Cat(" [", NumberLabel(point.low, 6), ", ", NumberLabel(point.high, 6), "]");
      canvas.Dot(plot.x(point.x), plot.y(point.y), 3, s, 1, tip);
    }
  }
  if (chart.series.size() > count) {
    canvas.Note(canvas.chinese() ? Cat("只画出前 ", count, " 条（共 ", chart.series.size(), " 条）")
                                 : Cat("the first ", count, " of ", chart.series.size(), " lines"));
  }
  canvas.NoteLeftOut(left_out);
  return canvas.Finish(plot.below, said);
}

Lines RocChart(std::vector<LineSeries> series, bool chinese) {
  Lines chart;
  chart.frame.title = chinese ? "ROC" : "ROC";
  chart.frame.x = chinese ? "假阳性率" : "false positive rate";
  chart.frame.y = chinese ? "真阳性率" : "true positive rate";
  chart.frame.chinese = chinese;
  chart.frame.width = 460;
  chart.series = std::move(series);
  chart.x_low = chart.y_low = 0;
  chart.x_high = chart.y_high = 1;
  chart.diagonal = chart.square = true;
  return chart;
}

Lines PrecisionRecallChart(std::vector<LineSeries> series, bool chinese) {
  Lines chart = RocChart(std::move(series), chinese);
  chart.frame.title = chinese ? "精确率–召回率曲线" : "Precision and recall";
  chart.frame.x = chinese ? "召回率" : "recall";
  chart.frame.y = chinese ? "精确率" : "precision";
  chart.diagonal = false;
  for (LineSeries& one : chart.series) one.steps = true;
  return chart;
}

}  // namespace atelier::report
