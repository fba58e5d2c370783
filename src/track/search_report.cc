#include "track/search_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "report/axis.h"
#include "report/chart.h"
#include "report/page.h"
#include "report/report.h"

namespace atelier::track {
namespace {

using report::Html;

struct Words {
  const char *title, *trial, *steps, *failure, *trials, *failed, *best, *unfinished, *course, *mean, *all, *found;
};
constexpr Words kEnglish = {"Search",
                            "trial",
                            "steps",
                            "failure",
                            "trials",
                            "failed",
                            "Best",
                            "not finished yet",
                            "Course of the best",
                            "mean, least and most",
                            "All trials",
                            "found"};
constexpr Words kChinese = {"超参数搜索", "试验",     "步数",           "失败原因",         "次试验",   "次失败",
                            "最佳",       "尚未完成", "最佳试验的过程", "平均、最低与最高", "全部试验", "结果"};

const Words& WordsOf(std::string_view language) {
  if (language == "zh") return kChinese;
  if (language == "en") return kEnglish;
  throw Error(Code::kUsage, Cat("the language ", Quote(language), " is not there"), "known: zh, en");
}

std::string Plain(const Json& value) { return value.is_string() ? value.get<std::string>() : ToText(value); }

std::string NumberText(double value) { return report::NumberLabel(value, 6); }

// The metric over one key, of all trials that have a result. What is searched over more than a hundredfold is drawn by
// its logarithm.
std::string KeyChart(const SearchState& state, size_t key, const Words& w, bool chinese) {
  std::vector<std::pair<Json, double>> points;
  int64_t reached = 0;
  for (const TrialState& trial : state.trials) {
    if (trial.results.empty()) continue;
    reached = std::max(reached, trial.results.back().steps);
    points.emplace_back(trial.values[key], trial.results.back().value);
  }
  report::Frame frame;
  frame.title = state.keys[key];
  frame.x = state.keys[key];
  frame.y = state.settings.metric;
  frame.chinese = chinese;
  frame.width = 420;
  const bool numbers =
      std::all_of(points.begin(), points.end(), [](const auto& point) { return point.first.is_number(); });
  if (!numbers) {
    std::map<std::string, report::Point> by_name;
    std::map<std::string, int64_t> counts;
    std::vector<std::string> names;
    for (const auto& [value, metric] : points) {
      const std::string name = Plain(value);
      if (!by_name.contains(name)) {
        names.push_back(name);
        by_name[name] = {0, 0, metric, metric};
      }
      report::Point& point = by_name[name];
      const double share = 1.0 / static_cast<double>(++counts[name]);
      point.y += (metric - point.y) * share;
      point.low = std::min(point.low, metric);
      point.high = std::max(point.high, metric);
    }
    report::Bars bars;
    bars.frame = frame;
    bars.frame.x = Cat(state.settings.metric, " · ", w.mean);
    bars.frame.y = "";
    bars.series = {state.settings.metric};
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      bars.groups.push_back({name, {{by_name[name].y, by_name[name].low, by_name[name].high}}});
    }
    return report::Draw(bars);
  }
  double low = 0, high = 0;
  for (const auto& [value, metric] : points) {
    const double x = value.get<double>();
    low = low == 0 ? x : std::min(low, x);
    high = std::max(high, x);
  }
  const bool logarithm = low > 0 && high / low >= 100;
  if (logarithm) frame.x = Cat("log10 ", state.keys[key]);
  report::Scatter scatter;
  scatter.frame = frame;
  scatter.trend = false;
  std::map<int64_t, report::ScatterSeries> by_steps;  // trials of fewer steps are not to be compared with longer ones
  for (const TrialState& trial : state.trials) {
    if (trial.results.empty()) continue;
    const double x = trial.values[key].get<double>();
    report::Point point;
    point.x = logarithm ? std::log10(x) : x;
    point.y = trial.results.back().value;
    by_steps[trial.results.back().steps].points.push_back(point);
  }
  for (auto& [steps, series] : by_steps) {
    series.name = Cat(steps, " ", w.steps);
    scatter.series.push_back(std::move(series));
  }
  if (scatter.series.size() > 12) scatter.series.erase(scatter.series.begin(), scatter.series.end() - 12);
  return report::Draw(scatter);
}

std::string Course(const SearchState& state, const Words& w, bool chinese) {
  report::Lines lines;
  lines.frame.title = w.course;
  lines.frame.x = w.steps;
  lines.frame.y = state.settings.metric;
  lines.frame.chinese = chinese;
  lines.frame.width = 520;
  lines.markers = true;
  for (const int64_t number : state.Ranked()) {
    const TrialState& trial = state.trials[static_cast<size_t>(number)];
    if (trial.results.size() < 2 || lines.series.size() == 8) continue;
    report::LineSeries series;
    series.name = Cat(w.trial, " ", number);
    for (const TrialResult& result : trial.results) {
      report::Point point;
      point.x = static_cast<double>(result.steps);
      point.y = result.value;
      series.points.push_back(point);
    }
    lines.series.push_back(std::move(series));
  }
  return lines.series.empty() ? "" : Cat("<figure>", report::Draw(lines), "</figure>\n");
}

}  // namespace

std::vector<std::vector<std::string>> SearchTable(const SearchState& state, std::string_view language) {
  const Words& w = WordsOf(language);
  std::vector<std::vector<std::string>> out;
  std::vector<std::string> header = {w.trial, state.settings.metric, w.steps};
  header.insert(header.end(), state.keys.begin(), state.keys.end());
  header.emplace_back(w.failure);
  out.push_back(std::move(header));
  for (const int64_t number : state.Ranked()) {
    const TrialState& trial = state.trials[static_cast<size_t>(number)];
    const bool any = !trial.results.empty();
    std::vector<std::string> row = {Cat(number), any ? NumberText(trial.results.back().value) : "",
                                    Cat(any ? trial.results.back().steps : 0)};
    for (const Json& value : trial.values) row.push_back(Plain(value));
    row.push_back(trial.failure);
    out.push_back(std::move(row));
  }
  return out;
}

Json SearchJson(const SearchState& state) {
  Json trials = Json::array();
  for (const int64_t number : state.Ranked()) {
    const TrialState& trial = state.trials[static_cast<size_t>(number)];
    Json values = Json::object(), results = Json::array();
    for (size_t i = 0; i < state.keys.size(); ++i) values[state.keys[i]] = trial.values[i];
    for (const TrialResult& result : trial.results)
      results.push_back({{"steps", result.steps}, {"value", result.value}});
    const bool any = !trial.results.empty();
    trials.push_back({{"number", number},
                      {"values", values},
                      {"steps", any ? trial.results.back().steps : 0},
                      {"value", any ? Json(trial.results.back().value) : Json(nullptr)},
                      {"results", results},
                      {"failure", trial.failure}});
  }
  const std::optional<int64_t> best = state.Best();
  return {{"finished", state.finished},
          {"metric", state.settings.metric},
          {"goal", state.settings.maximise ? "max" : "min"},
          {"best", best ? Json(*best) : Json(nullptr)},
          {"trials", trials}};
}

std::string SearchPage(const SearchState& state, std::string_view language) {
  const Words& w = WordsOf(language);
  const bool chinese = language == "zh";
  const auto failures = std::count_if(state.trials.begin(), state.trials.end(),
                                      [](const TrialState& trial) { return !trial.failure.empty(); });
  std::string out = report::PageHead(Cat(w.title, " ", state.settings.file), chinese);
  out += Cat("<p>", w.title, "</p><h1><bdi>", Html(state.settings.file, 300), "</bdi></h1><p class=\"big\">",
             state.trials.size(), " ", w.trials, " · ", failures, " ", w.failed, state.finished ? "" : " · ",
             state.finished ? "" : w.unfinished, "</p>\n");
  if (const std::optional<int64_t> best = state.Best()) {
    const TrialState& trial = state.trials[static_cast<size_t>(*best)];
    out += Cat("<h2>", w.best, "</h2><p>", w.trial, " ", *best, ": ", report::HtmlName(state.settings.metric), " ",
               NumberText(trial.results.back().value), " · ", trial.results.back().steps, " ", w.steps,
               "</p><table class=\"k\">\n");
    for (size_t i = 0; i < state.keys.size(); ++i) {
      out += Cat("<tr><td><code>", Html(state.keys[i], 200), "</code></td><td class=\"n\"><bdi>",
                 Html(Plain(trial.values[i]), 200), "</bdi></td></tr>\n");
    }
    out += "</table>\n<div class=\"charts\">\n";
    for (size_t i = 0; i < std::min<size_t>(state.keys.size(), 24); ++i) {
      out += Cat("<figure>", KeyChart(state, i, w, chinese), "</figure>\n");
    }
    out += Cat(Course(state, w, chinese), "</div>\n");
  }
  constexpr size_t kMostRows = 1000;
  out += Cat("<h2>", w.all, "</h2><table>\n");
  const auto table = SearchTable(state, language);
  for (size_t i = 0; i < std::min(table.size(), kMostRows + 1); ++i) {
    out += "<tr>";
    for (const std::string& cell : table[i]) {
      out += Cat(i == 0 ? "<th>" : "<td>", "<bdi>", Html(cell, 500), "</bdi>", i == 0 ? "</th>" : "</td>");
    }
    out += "</tr>\n";
  }
  if (table.size() > kMostRows + 1) out += Cat("<tr><td>… +", table.size() - kMostRows - 1, "</td></tr>\n");
  return out + "</table>\n" + report::PageEnd();
}

std::string WriteSearchPage(const SearchState& state, const std::string& folder, std::string_view language) {
  const std::string path = folder + "/report.html";
  WriteFileAtomic(path, SearchPage(state, language));
  return path;
}

}  // namespace atelier::track
