#include <algorithm>
#include <cmath>

#include "base/str.h"
#include "experiment/suite_report.h"
#include "report/chart.h"

namespace atelier::experiment {
namespace {

constexpr size_t kMostRuns = 60;  // of a trend

report::BarGroup Group(const std::string& name, const SuiteResult& result, size_t m) {
  report::BarGroup group{name, {}};
  for (const ArmResult& arm : result.arms) {
    const Cell& cell = arm.cells[m];
    group.values.push_back(cell.rows.empty() ? report::BarValue{}
                                             : report::BarValue{cell.score, cell.interval.low, cell.interval.high});
  }
  return group;
}

}  // namespace

report::Report SuiteReport(const SuiteResult& result, const Suite& suite, const std::vector<Trend>& history,
                           bool chinese) {
  report::Report made;
  made.title = suite.name;
  made.chinese = chinese;
  std::vector<std::string> arms;
  for (const ArmResult& arm : result.arms) arms.push_back(arm.arm.name);
  const auto frame = [&](std::string title) {
    report::Frame one;
    one.title = std::move(title);
    one.chinese = chinese;
    return one;
  };

  report::Bars assertions;
  assertions.frame = frame(chinese ? "断言成立的比例" : "Share of cases for which an assertion holds");
  assertions.series = arms;
  assertions.low = 0;
  assertions.high = 1;
  for (size_t m = 0; m < suite.measures.size(); ++m) {
    const MeasureSpec& spec = suite.measures[m];
    if (spec.measure->assertion()) assertions.groups.push_back(Group(spec.name, result, m));
  }
  if (!assertions.groups.empty()) made.figures.push_back({"assertions", report::Draw(assertions)});

  // Metrics have scales of their own: a picture each.
  for (size_t m = 0; m < suite.measures.size(); ++m) {
    const MeasureSpec& spec = suite.measures[m];
    if (spec.measure->assertion()) continue;
    report::Bars bars;
    const bool lower = spec.measure->score().lower_is_better();
    bars.frame = frame(Cat(spec.name, !lower ? "" : chinese ? "（越低越好）" : " (lower is better)"));
    bars.series = arms;
    bars.groups.push_back(Group(spec.name, result, m));
    made.figures.push_back({spec.name, report::Draw(bars)});
  }

  const size_t first = history.size() > kMostRuns ? history.size() - kMostRuns : 0;
  for (const MeasureSpec& spec : suite.measures) {
    report::Lines lines;
    lines.frame = frame(Cat(spec.name, chinese ? "：历次运行" : ", run by run"));
    lines.markers = true;
    if (spec.cutoff.least) lines.level = spec.cutoff.least;
    for (size_t i = first; i < history.size(); ++i) {
      const std::string& time = history[i].time;  // month, day, hour and minute
      lines.names.push_back(time.size() < 16 ? time : ReplaceAll(time.substr(5, 11), "T", " "));
    }
    for (const std::string& arm : arms) {
      report::LineSeries series{arm, {}, false};
      for (size_t i = first; i < history.size(); ++i) {
        const auto scores = history[i].scores.find(arm);
        if (scores == history[i].scores.end() || !scores->second.contains(spec.name)) continue;
        series.points.push_back({static_cast<double>(i - first), scores->second.at(spec.name), NAN, NAN});
      }
      if (series.points.size() > 1) lines.series.push_back(std::move(series));
    }
    if (!lines.series.empty()) made.figures.push_back({Cat(spec.name, "-trend"), report::Draw(lines)});
  }
  return made;
}

}  // namespace atelier::experiment
