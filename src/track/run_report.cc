#include "track/run_report.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "report/axis.h"
#include "report/chart.h"
#include "report/page.h"
#include "track/curve.h"
#include "track/metrics_file.h"
#include "track/suite_section.h"

namespace atelier::track {
namespace {

using report::Html;

struct RunWords {
  const char *title, *running, *step, *steps, *duration, *resumed, *metric, *last, *lowest, *highest, *values, *curves,
      *samples, *pictures, *histograms, *settings, *versions, *earlier, *gone, *summary, *none, *buckets;
  const char *done, *stopped, *failed;
  const char *replies, *prompt, *wanted, *before, *after;
};
constexpr RunWords kRunEnglish = {"Training",
                                  "goes on, or died",
                                  "step",
                                  "steps",
                                  "duration",
                                  "resumed behind step",
                                  "metric",
                                  "last",
                                  "lowest",
                                  "highest",
                                  "values",
                                  "Curves",
                                  "Samples",
                                  "Pictures",
                                  "Histograms",
                                  "Settings",
                                  "Versions",
                                  "earlier ones",
                                  "the file is gone",
                                  "Result",
                                  "Nothing has been told yet.",
                                  "each point: the mean of up to {} values, the band their lowest and highest",
                                  "done",
                                  "stopped",
                                  "failed",
                                  "Replies before and after",
                                  "prompt",
                                  "wanted",
                                  "before",
                                  "after"};
constexpr RunWords kRunChinese = {"训练",
                                  "进行中或已中断",
                                  "步",
                                  "步",
                                  "用时",
                                  "从此步之后续训",
                                  "指标",
                                  "最新",
                                  "最低",
                                  "最高",
                                  "个值",
                                  "曲线",
                                  "生成样例",
                                  "图片",
                                  "直方图",
                                  "设置",
                                  "版本",
                                  "更早的",
                                  "文件已不在",
                                  "结果",
                                  "还没有任何记录。",
                                  "每个点为至多 {} 个值的平均，色带为其最低与最高值",
                                  "完成",
                                  "已停止",
                                  "失败",
                                  "训练前后的回复",
                                  "提示",
                                  "期望",
                                  "训练前",
                                  "训练后"};

constexpr size_t kMostCurves = 400;  // names of numbers
constexpr size_t kMostShown = 24;    // texts, pictures and histograms of one name
constexpr size_t kOpen = 3;          // of them are shown at once, the others on demand
constexpr uint64_t kMostPicture = 4u << 20, kMostPictures = 24u << 20;  // bytes within the page

struct Run {
  MetricRow header;
  Json config = Json::object(), versions = Json::object();
  std::vector<std::string> order;  // of numbers' names
  std::map<std::string, Curve> curves;
  uint64_t names_left_out = 0;
  std::map<std::string, std::deque<MetricRow>> texts, images, histograms;  // the first and the latest of each name
  std::vector<int64_t> resumed;
  std::optional<MetricRow> finish;
  int64_t step = 0;
  double seconds = 0;  // while it was told of: not what lies between a row and the resumption behind it
};

Run ReadRun(const std::string& folder) {
  Run run;
  double before = 0;
  ReadMetrics(Cat(folder, "/", kMetricsFile), [&](const MetricRow& row, std::string_view) {
    if (row.kind != RowKind::kRun && row.kind != RowKind::kResume) run.seconds += std::max(0.0, row.time - before);
    before = row.time;
    run.step = std::max(run.step, row.step);
    const auto keep = [&](std::map<std::string, std::deque<MetricRow>>* named) {
      if (named->size() >= kMostCurves && !named->contains(row.name)) return;
      std::deque<MetricRow>& rows = (*named)[row.name];
      rows.push_back(row);
      if (rows.size() > kMostShown) rows.erase(rows.begin() + 1);  // the first is what the others are held against
    };
    switch (row.kind) {
      case RowKind::kRun:
        run.header = row;
        run.config = row.config;
        run.versions = row.versions;
        break;
      case RowKind::kResume:
        run.resumed.push_back(row.step);
        if (!row.config.empty()) run.config = row.config;
        if (!row.versions.empty()) run.versions = row.versions;
        break;
      case RowKind::kScalars:
        for (const auto& [name, value] : row.values) {
          if (!run.curves.contains(name)) {
            if (run.curves.size() >= kMostCurves) {
              ++run.names_left_out;
              continue;
            }
            run.order.push_back(name);
          }
          run.curves[name].Add(row.step, value);
        }
        break;
      case RowKind::kText: keep(&run.texts); break;
      case RowKind::kImage: keep(&run.images); break;
      case RowKind::kHistogram: keep(&run.histograms); break;
      case RowKind::kFinish: run.finish = row; break;
    }
  });
  return run;
}

std::string Value(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "−∞" : "∞";
  return report::NumberLabel(value, 5);
}

// "train/loss" and "valid/loss" are two lines of one chart.
std::string ChartOf(const std::string& name) { return name.substr(name.rfind('/') + 1); }

std::string Charts(const Run& run, const RunWords& w, bool chinese) {
  std::vector<std::string> names;
  std::map<std::string, std::vector<std::string>> groups;
  for (const std::string& name : run.order) {
    auto& group = groups[ChartOf(name)];
    if (group.empty()) names.push_back(ChartOf(name));
    group.push_back(name);
  }
  std::string out = "<div class=\"charts\">\n";
  uint64_t most = 1;
  for (const std::string& name : names) {
    const std::vector<std::string>& group = groups[name];
    for (size_t begin = 0; begin < group.size(); begin += 12) {  // as many lines as a chart has
      report::Lines lines;
      lines.frame.title = name;
      lines.frame.x = w.step;
      lines.frame.chinese = chinese;
      lines.frame.width = 480;  // two beside each other on a small screen
      for (size_t i = begin; i < std::min(begin + 12, group.size()); ++i) {
        const Curve& curve = run.curves.at(group[i]);
        most = std::max(most, curve.each());
        lines.series.push_back({group[i], curve.Points(), false});
      }
      out += Cat("<figure>", report::Draw(lines), "</figure>\n");
    }
  }
  out += "</div>\n";
  if (most > 1) out += Cat("<p>", ReplaceAll(w.buckets, "{}", Cat(most)), "</p>\n");
  return out;
}

std::string Numbers(const Run& run, const RunWords& w) {
  std::string out = Cat("<table><tr><th>", w.metric, "</th><th class=\"n\">", w.last, "</th><th class=\"n\">", w.lowest,
                        "</th><th class=\"n\">", w.step, "</th><th class=\"n\">", w.highest, "</th><th class=\"n\">",
                        w.step, "</th><th class=\"n\">", w.values, "</th></tr>\n");
  for (const std::string& name : run.order) {
    const Curve& curve = run.curves.at(name);
    out += Cat("<tr><td>", report::HtmlName(name), "</td><td class=\"n\">", Value(curve.last()), "</td>");
    for (const auto& [value, step] :
         {std::pair(curve.lowest(), curve.lowest_step()), {curve.highest(), curve.highest_step()}}) {
      if (curve.any_finite()) {
        out += Cat("<td class=\"n\">", Value(value), "</td><td class=\"n\">", step, "</td>");
      } else {
        out += "<td class=\"n\">–</td><td class=\"n\">–</td>";
      }
    }
    out += Cat("<td class=\"n\">", curve.values(), "</td></tr>\n");
  }
  if (run.names_left_out > 0) out += "<tr><td>…</td></tr>\n";
  return out + "</table>\n";
}

std::string Base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t block = 0;
    for (size_t k = 0; k < 3; ++k) block = block << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) {
      out.push_back(i + k <= bytes.size() ? kDigits[block >> (18 - 6 * k) & 63] : '=');
    }
  }
  return out;
}

// The latest first; the first few open.
template <typename Show>
std::string Series(const char* heading, const std::map<std::string, std::deque<MetricRow>>& named, const RunWords& w,
                   Show&& show) {
  if (named.empty()) return "";
  std::string out = Cat("<h2>", heading, "</h2>\n");
  for (const auto& [name, rows] : named) {
    if (name.starts_with(kPromptText) || name.starts_with(kWantedText)) continue;  // Replies() has them
    out += Cat("<h3>", report::HtmlName(name), "</h3>\n");
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i == kOpen) out += Cat("<details><summary>", w.earlier, "</summary>\n");
      out += show(rows[rows.size() - 1 - i]);
    }
    if (rows.size() > kOpen) out += "</details>\n";
  }
  return out;
}

// A line for each prompt.
std::string Replies(const Run& run, const RunWords& w) {
  std::string lines;
  for (const auto& [name, rows] : run.texts) {
    if (!name.starts_with(kReplyText)) continue;
    const std::string number = name.substr(kReplyText.size());
    const auto text = [&](std::string_view what) {
      const auto it = run.texts.find(Cat(what, number));
      return it == run.texts.end() ? "" : it->second.back().text;
    };
    const auto cell = [](const std::string& s) { return Cat("<td><bdi>", Html(s, 4'000), "</bdi></td>"); };
    const auto said = [&](const MetricRow& row) {
      return Cat("<td><small>", row.step, "</small> <bdi>", Html(row.text, 4'000), "</bdi></td>");
    };
    lines += Cat("<tr>", cell(text(kPromptText)), cell(text(kWantedText)), said(rows.front()),
                 rows.size() > 1 ? said(rows.back()) : "<td>–</td>", "</tr>\n");
  }
  if (lines.empty()) return "";
  return Cat("<h2>", w.replies, "</h2>\n<table style=\"white-space:pre-wrap\"><tr><th>", w.prompt, "</th><th>",
             w.wanted, "</th><th>", w.before, " (", w.step, ")</th><th>", w.after, " (", w.step, ")</th></tr>\n", lines,
             "</table>\n");
}

std::string Step(const MetricRow& row, const RunWords& w) { return Cat("<p>", w.step, " ", row.step, "</p>"); }

std::string Histogram(const MetricRow& row, bool chinese) {
  report::Lines lines;
  lines.frame.title = Cat(row.name, " · ", row.step);
  lines.frame.chinese = chinese;
  lines.frame.width = 420;
  lines.y_low = 0;
  report::LineSeries series;
  series.steps = true;
  const HistogramData& h = row.histogram;
  for (size_t i = 0; i < h.counts.size(); ++i) {
    series.points.push_back({.x = h.edges[i], .y = static_cast<double>(h.counts[i])});
  }
  series.points.push_back({.x = h.edges.back(), .y = static_cast<double>(h.counts.back())});
  lines.series.push_back(std::move(series));
  return Cat("<figure>", report::Draw(lines), "</figure>\n");
}

std::string Details(const char* heading, const Json& value) {
  if (value.empty()) return "";
  return Cat("<h2>", heading, "</h2>\n<pre><bdi>", Html(ToPrettyText(value), 100'000), "</bdi></pre>\n");
}

}  // namespace

std::string ReportOfRun(const std::string& folder, std::string_view language) {
  const bool chinese = language == "zh";
  if (!chinese && language != "en") {
    throw Error(Code::kUsage, Cat("the language ", Quote(language), " is not there"), "known: zh, en");
  }
  const RunWords& w = chinese ? kRunChinese : kRunEnglish;
  const Run run = ReadRun(folder);
  const std::string name = std::string(Trim(folder)).substr(0, folder.find_last_not_of('/') + 1);
  const std::string title = name.substr(name.rfind('/') + 1);
  const std::string status = !run.finish                      ? w.running
                             : run.finish->status == "done"   ? w.done
                             : run.finish->status == "failed" ? w.failed
                                                              : w.stopped;
  std::string out = report::PageHead(Cat(w.title, " ", title), chinese);
  out += Cat("<p>", w.title, "</p><h1><bdi>", Html(title, 200), "</bdi></h1><p class=\"big\">", status, " · ", run.step,
             " ", w.steps, " · ", w.duration, " ", FormatDuration(run.seconds), "</p>\n");
  for (const int64_t step : run.resumed) out += Cat("<p>", w.resumed, " ", step, "</p>\n");
  if (run.curves.empty() && run.texts.empty() && run.images.empty()) out += Cat("<p>", w.none, "</p>\n");
  if (!run.curves.empty()) out += Cat("<h2>", w.curves, "</h2>\n", Charts(run, w, chinese), Numbers(run, w));
  if (run.finish) out += Details(w.summary, run.finish->summary);
  out += SuiteSection(folder, chinese);
  out += Replies(run, w);
  out += Series(w.samples, run.texts, w, [&](const MetricRow& row) {
    return Cat(Step(row, w), "<pre><bdi>", Html(row.text, 20'000), "</bdi></pre>\n");
  });
  uint64_t bytes = 0;
  out += Series(w.pictures, run.images, w, [&](const MetricRow& row) {
    std::string picture;
    try {
      picture = ReadFile(JoinInside(folder, row.file), kMostPicture);
    } catch (const Error&) {  // gone, or not a file of ours
    }
    if (picture.empty() || bytes + picture.size() > kMostPictures || !picture.starts_with("\x89PNG")) {
      return Cat(Step(row, w), "<p><code>", Html(row.file, 200), "</code>: ", w.gone, "</p>\n");
    }
    bytes += picture.size();
    const uint64_t scale = std::max<uint64_t>(1, 256 / std::max(row.width, row.height));  // small ones are enlarged
    return Cat(Step(row, w), "<img width=\"", row.width * scale, "\" height=\"", row.height * scale,
               "\" style=\"max-width:100%;height:auto;image-rendering:pixelated\" alt=\"", Html(row.name, 200),
               "\" src=\"data:image/png;base64,", Base64(picture), "\">\n");
  });
  out += Series(w.histograms, run.histograms, w, [&](const MetricRow& row) { return Histogram(row, chinese); });
  return out + Details(w.settings, run.config) + Details(w.versions, run.versions) + report::PageEnd();
}

std::string WriteReportOfRun(const std::string& folder, std::string_view language) {
  const std::string page = ReportOfRun(folder, language);
  const std::string path = Cat(folder, "/report.html");
  WriteFileAtomic(path, page);
  return path;
}

}  // namespace atelier::track
