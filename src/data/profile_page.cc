#include <algorithm>
#include <cmath>

#include "base/ids.h"
#include "base/str.h"
#include "data/profile.h"
#include "data/record_line.h"
#include "report/page.h"

namespace atelier::data {
namespace {

using report::Html;
using report::PageEnd;
using report::PageHead;

struct Words {
  const char *title, *records, *rejected, *duplicates, *about, *text, *made, *sources, *parents, *licence, *consent,
      *splits, *field, *types, *missing, *distinct, *lengths, *numbers, *top, *samples, *rejects, *line, *column,
      *reason, *mean, *shards, *content, *none, *more_fields;
};

constexpr Words kEnglish = {"Dataset",
                            "records",
                            "rejected",
                            "repeat another record",
                            "about",
                            "of text",
                            "Made by",
                            "Sources",
                            "Made from",
                            "Licence",
                            "Consent",
                            "Splits",
                            "Field",
                            "Types",
                            "Missing",
                            "Distinct",
                            "Length in characters",
                            "Numbers",
                            "Frequent values",
                            "Samples",
                            "Not taken (the first ten)",
                            "Line",
                            "Column",
                            "Reason",
                            "mean",
                            "shards",
                            "Content hash",
                            "not said",
                            "Only the first 200 fields are shown."};
constexpr Words kChinese = {"数据集",
                            "条记录",
                            "条被拒",
                            "条与其他记录重复",
                            "约",
                            "文本",
                            "来自操作",
                            "来源",
                            "上一版本",
                            "许可",
                            "同意依据",
                            "划分",
                            "字段",
                            "类型",
                            "缺失",
                            "不同值",
                            "字符长度",
                            "数值",
                            "常见值",
                            "样例",
                            "未采用的记录（前十条）",
                            "行",
                            "列",
                            "原因",
                            "平均",
                            "个分片",
                            "内容哈希",
                            "未注明",
                            "只显示前 200 个字段。"};

const char* TypeName(const std::string& type, bool chinese) {
  if (!chinese) return type.c_str();
  if (type == "text") return "文本";
  if (type == "number") return "数字";
  if (type == "true or false") return "是/否";
  if (type == "list") return "列表";
  if (type == "object") return "对象";
  return "空";
}

std::string Short(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.5g", value);
  return buffer;
}

std::string Chart(const Histogram& histogram, bool whole) {
  uint64_t most = 0;
  for (const uint64_t count : histogram.counts) most = std::max(most, count);
  if (most == 0) return "";
  constexpr double kWidth = 320, kHeight = 72;
  const double step = kWidth / static_cast<double>(histogram.counts.size());
  std::string out =
      Cat("<svg class=\"spark\" viewBox=\"0 0 ", Short(kWidth), " ", Short(kHeight + 16), "\" role=\"img\">");
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    const uint64_t count = histogram.counts[i];
    if (count == 0) continue;
    const double bin = (histogram.high - histogram.low) / static_cast<double>(histogram.counts.size());
    const double low = histogram.low + bin * static_cast<double>(i);
    const double tall = std::max(1.0, kHeight * static_cast<double>(count) / static_cast<double>(most));
    const std::string range = whole ? Cat(std::llround(std::ceil(low)), "–", std::llround(std::ceil(low + bin)) - 1)
                                    : Cat(Short(low), " – ", Short(low + bin));
    out += Cat("<rect x=\"", Short(step * static_cast<double>(i)), "\" y=\"", Short(kHeight - tall), "\" width=\"",
               Short(std::max(0.5, step - 1)), "\" height=\"", Short(tall), "\"><title>", range, ": ", count,
               "</title></rect>");
  }
  out += Cat("<text x=\"0\" y=\"", Short(kHeight + 13), "\">", Short(histogram.low), "</text><text x=\"", Short(kWidth),
             "\" y=\"", Short(kHeight + 13), "\" text-anchor=\"end\">",
             Short(whole ? histogram.high - 1 : histogram.high), "</text></svg>");
  return out;
}

}  // namespace

std::string ProfilePage(const Profile& profile, const std::string& language) {
  const bool chinese = language == "zh";
  const Words& w = chinese ? kChinese : kEnglish;
  const Manifest& m = profile.manifest;
  std::string out = PageHead(m.Reference(), chinese);
  out +=
      Cat("<p>", w.title, "</p><h1>", Html(m.Reference()), "</h1><p class=\"big\">", m.records, " ", w.records, " · ",
          m.rejects, " ", w.rejected, " · ", profile.duplicates_estimated ? Cat(w.about, " ") : "", profile.duplicates,
          " ", w.duplicates, " · ", FormatBytes(m.bytes), " ", w.text, " · ", m.shards.size(), " ", w.shards, "</p>\n");
  out += "<table>";
  const auto row = [&](const char* name, const std::string& value) {
    out += Cat("<tr><th>", name, "</th><td>", value, "</td></tr>\n");
  };
  row(w.made, Cat(Html(m.recipe.operation), ", ", FormatTime(m.created_at)));
  std::string list;
  for (size_t i = 0; i < m.sources.size() && i < 20; ++i) {
    const SourceInfo& source = m.sources[i];
    list += Cat(i > 0 ? "<br>" : "", "<bdi>", Html(source.name), "</bdi> (", Html(source.kind),
                source.encoding.empty() ? "" : ", ", Html(source.encoding), source.bytes > 0 ? ", " : "",
                source.bytes > 0 ? FormatBytes(source.bytes) : "", ")");
  }
  if (m.sources.size() > 20) list += Cat("<br>… +", m.sources.size() - 20);
  if (!list.empty()) row(w.sources, list);
  list.clear();
  for (const ParentRef& parent : m.parents)
    list += Cat(list.empty() ? "" : "<br>", Html(parent.name), "@", parent.version);
  if (!list.empty()) row(w.parents, list);
  row(w.licence, m.licence.empty() ? w.none : Html(m.licence));
  row(w.consent, m.consent.empty() ? w.none : Html(m.consent));
  list.clear();
  for (const auto& [split, count] : m.splits) list += Cat(list.empty() ? "" : ", ", Html(split), " ", count);
  if (!list.empty()) row(w.splits, list);
  row(w.content, Cat("<code>", m.content_hash, "</code>"));
  out += Cat("</table>\n<h2>", w.field, "</h2>\n");
  for (const FieldProfile& field : profile.fields) {
    const FieldInfo& info = field.info;
    out += Cat("<section class=\"f\"><div><h3><bdi>", Html(info.name, 200), "</bdi></h3><table>");
    std::string types;
    for (const auto& [type, count] : info.types) {
      types += Cat(types.empty() ? "" : ", ", TypeName(type, chinese), " ", count);
    }
    row(w.types, types);
    const uint64_t missing = m.records - std::min(m.records, info.present) + info.empty;
    row(w.missing,
        Cat(missing, " (",
            FormatFixed(m.records > 0 ? 100.0 * static_cast<double>(missing) / static_cast<double>(m.records) : 0, 1),
            " %)"));
    row(w.distinct, Cat(w.about, " ", info.distinct));
    if (info.lengths) {
      row(w.lengths, Cat(info.lengths->min, " – ", info.lengths->max, ", ", w.mean, " ", Short(info.lengths->mean),
                         Chart(field.lengths, true)));
    }
    if (info.numbers) {
      row(w.numbers, Cat(Short(info.numbers->min), " – ", Short(info.numbers->max), ", ", w.mean, " ",
                         Short(info.numbers->mean), " ± ", Short(info.numbers->stddev), Chart(field.numbers, false)));
    }
    out += "</table></div><div>";
    if (!field.top.empty()) {
      out += Cat("<h4>", w.top, "</h4>");
      for (const auto& [value, count] : field.top) {
        const double share =
            100.0 * static_cast<double>(count) / static_cast<double>(std::max<uint64_t>(1, field.top[0].second));
        out += Cat("<div class=\"v\"><span><bdi>", Html(value, 120), "</bdi></span><span class=\"n\">", count,
                   "</span></div><div class=\"bar\" style=\"width:", FormatFixed(share, 1), "%\"></div>");
      }
    }
    out += "</div></section>\n";
  }
  if (profile.fields.size() < m.fields.size()) out += Cat("<p>", w.more_fields, "</p>");
  out += Cat("<h2>", w.samples, "</h2>\n");
  std::vector<LineField> fields;
  for (const std::string& sample : profile.samples) {
    out += "<table>";
    SplitLine(sample, &fields);
    for (const LineField& field : fields) {
      if (field.key.starts_with('_') && field.key != "_split") continue;
      out += Cat("<tr><th><bdi>", Html(PlainText(Cat("\"", field.key, "\"")), 100), "</bdi></th><td><bdi>",
                 Html(PlainText(field.value), 600), "</bdi></td></tr>");
    }
    out += "</table><br>\n";
  }
  if (!profile.rejects.empty()) {
    out += Cat("<h2>", w.rejects, "</h2><table><tr><th>", w.line, "</th><th>", w.column, "</th><th>", w.reason,
               "</th><th></th></tr>\n");
    for (const std::string& reject : profile.rejects) {
      std::string line, column, reason, text;
      SplitLine(reject, &fields);
      for (const LineField& field : fields) {
        if (field.key == "line") line = PlainText(field.value);
        if (field.key == "column") column = PlainText(field.value);
        if (field.key == "reason") reason = PlainText(field.value);
        if (field.key == "text") text = PlainText(field.value);
      }
      out += Cat("<tr><td class=\"n\">", Html(line), "</td><td class=\"n\">", Html(column), "</td><td>", Html(reason),
                 "</td><td><code>", Html(text, 300), "</code></td></tr>\n");
    }
    out += "</table>";
  }
  return out + PageEnd();
}

}  // namespace atelier::data
