#include "data/clean/report_page.h"

#include <algorithm>
#include <vector>

#include "base/str.h"
#include "report/page.h"
#include "report/word_diff.h"

namespace atelier::data::clean {
namespace {

using report::Html;
using report::PageEnd;
using report::PageHead;

struct Words {
  const char *title, *read, *kept, *were_dropped, *of_text, *operation, *came, *changed, *dropped, *untouched, *reasons,
      *before, *after, *record, *fitted, *findings, *unreadable, *samples, *nothing, *hidden;
};
constexpr Words kEnglish = {"Cleaning of",
                            "records read",
                            "kept",
                            "dropped",
                            "of text",
                            "Operation",
                            "came",
                            "changed",
                            "dropped",
                            "left as they were",
                            "Why records were dropped",
                            "Before",
                            "After",
                            "Record",
                            "Fitted",
                            "Found",
                            "not records",
                            "Dropped, for instance",
                            "changed and dropped nothing",
                            "(not shown)"};
constexpr Words kChinese = {"清洗",
                            "条已读取",
                            "条保留",
                            "条被去除",
                            "文本",
                            "操作",
                            "进入",
                            "修改",
                            "去除",
                            "未变动",
                            "记录被去除的原因",
                            "清洗前",
                            "清洗后",
                            "记录",
                            "拟合结果",
                            "发现",
                            "不是记录",
                            "去除的记录举例",
                            "没有修改或去除任何记录",
                            "（不显示）"};

constexpr size_t kMostReasons = 30;

std::string Percent(uint64_t part, uint64_t whole) {
  return FormatFixed(whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0, 1);
}

// Of all that were read: dropped, changed, untouched.
std::string Flow(const Tally& tally, uint64_t read) {
  const uint64_t changed = std::min(tally.changed, tally.seen - std::min(tally.seen, tally.dropped));
  const uint64_t rest = tally.seen - std::min(tally.seen, tally.dropped + changed);
  std::string out = "<div class=\"flow\">";
  for (const auto& [name, count] : {std::pair("dropped", tally.dropped), {"changed", changed}, {"in", rest}}) {
    if (count > 0) {
      out +=
          Cat("<span class=\"", name, "\" style=\"width:", Percent(count, read), "%\" title=\"", count, "\"></span>");
    }
  }
  return out + "</div>";
}

std::string Section(const std::string& name, const Tally& tally, const Json& fitted, const Json& findings,
                    const Words& w) {
  std::string out = Cat("<section class=\"f\"><div><h3><code>", Html(name, 200), "</code></h3><p>", tally.seen, " ",
                        w.came, " · ", tally.changed, " ", w.changed, " · ", tally.dropped, " ", w.dropped, "</p>");
  if (!tally.reasons.empty()) {
    std::vector<std::pair<uint64_t, std::string_view>> reasons;
    for (const auto& [reason, count] : tally.reasons) reasons.emplace_back(count, reason);
    std::stable_sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    out += Cat("<h4>", w.reasons, "</h4>");
    for (size_t i = 0; i < reasons.size() && i < kMostReasons; ++i) {
      out += Cat("<div class=\"v\"><span><bdi>", Html(reasons[i].second, 300), "</bdi></span><span class=\"n\">",
                 reasons[i].first,
                 "</span></div><div class=\"bar\" style=\"width:", Percent(reasons[i].first, reasons[0].first),
                 "%\"></div>");
    }
    if (reasons.size() > kMostReasons) out += Cat("<p>… +", reasons.size() - kMostReasons, "</p>");
  }
  for (const auto& [title, value] : {std::pair(w.findings, &findings), {w.fitted, &fitted}}) {
    if (value->is_null() || value->empty()) continue;
    out += Cat("<details><summary>", title, "</summary><pre>", Html(ToPrettyText(*value), 20'000), "</pre></details>");
  }
  out += "</div><div>";
  for (const Example& example : tally.changes) {
    if (example.before.empty() && example.after.empty()) continue;
    const bool hidden = example.before == kNotShown;
    const report::MarkedDifference marked = hidden ? report::MarkedDifference{w.hidden, Html(example.after)}
                                                   : report::MarkDifference(example.before, example.after);
    out += Cat("<table><tr><th colspan=\"2\">", w.record, " ", example.record, "</th></tr><tr><th class=\"w\">",
               w.before, "</th><td class=\"s\"><bdi>", marked.before, "</bdi></td></tr><tr><th class=\"w\">", w.after,
               "</th><td class=\"s\"><bdi>", marked.after, "</bdi></td></tr></table>\n");
  }
  if (!tally.drops.empty()) {
    out += Cat("<h4>", w.samples, "</h4><table>");
    for (const Example& example : tally.drops) {
      out += Cat("<tr><td class=\"n w\">", w.record, " ", example.record, "</td><td><bdi>", Html(example.reason, 300),
                 "</bdi><br><code><bdi>", Html(example.before), "</bdi></code></td></tr>\n");
    }
    out += "</table>";
  }
  if (tally.changes.empty() && tally.drops.empty()) out += Cat("<p>", w.nothing, "</p>");
  return out + "</div></section>\n";
}

}  // namespace

std::string ReportPage(const Report& report, std::string_view from, std::string_view language) {
  const bool chinese = language == "zh";
  const Words& w = chinese ? kChinese : kEnglish;
  const std::string title = Cat(w.title, " ", from);
  std::string out = PageHead(title, chinese);
  out +=
      Cat("<p>", w.title, "</p><h1><bdi>", Html(from), "</bdi></h1><p class=\"big\">", report.read, " ", w.read, " · ",
          report.kept, " ", w.kept, " · ", report.read - std::min(report.read, report.kept), " ", w.were_dropped, " · ",
          FormatBytes(report.bytes_in), " → ", FormatBytes(report.bytes_out), " ", w.of_text, "</p>\n");
  out += Cat("<p class=\"key\"><span class=\"dropped\"></span>", w.dropped, "<span class=\"changed\"></span>",
             w.changed, "<span class=\"in\"></span>", w.untouched, "</p>\n<table><tr><th>", w.operation,
             "</th><th class=\"n\">", w.came, "</th><th class=\"n\">", w.changed, "</th><th class=\"n\">", w.dropped,
             "</th><th style=\"width:45%\"></th></tr>\n");
  std::string sections;
  const auto add = [&](const std::string& name, const Tally& tally, const Json& fitted, const Json& findings) {
    out += Cat("<tr><td><code>", Html(name, 200), "</code></td><td class=\"n\">", tally.seen, "</td><td class=\"n\">",
               tally.changed, "</td><td class=\"n\">", tally.dropped, "</td><td>", Flow(tally, report.read),
               "</td></tr>\n");
    sections += Section(name, tally, fitted, findings, w);
  };
  if (report.unreadable.dropped > 0) {
    Tally unreadable = report.unreadable;
    unreadable.seen = report.read;
    add(w.unreadable, unreadable, nullptr, nullptr);
  }
  for (const OperationReport& one : report.operations) add(one.name, one.tally, one.fitted, one.findings);
  return out + "</table>\n" + sections + PageEnd();
}

}  // namespace atelier::data::clean
