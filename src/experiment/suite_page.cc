#include <algorithm>
#include <cmath>

#include "base/str.h"

#include "experiment/suite_report.h"
#include "report/page.h"

namespace atelier::experiment {
namespace {

using report::Html;

constexpr size_t kMostCases = 300;     // shown whole; all of them are in results.json
constexpr size_t kMostFailing = 12;    // per cut-off that is missed
constexpr size_t kMostErrors = 50;     // per arm
constexpr size_t kMostRunsDrawn = 30;  // of a trend

constexpr const char* kStyle = R"(<style>
.ok{color:#1b7f4b}.bad{color:#b5362a;font-weight:600}.dim{color:#777}.verdict{font-size:1.3em;margin:.4em 0 1em}
.scroll{overflow-x:auto}.draw{display:flex;align-items:center;gap:.6em}td.arm{min-width:11em}td.arm b{font-size:1.15em;font-variant-numeric:tabular-nums}
svg.bar{width:10em;height:14px;background:none}svg.bar rect,svg.trend rect{fill:none}
svg.bar .t{stroke:#bbb;stroke-width:1}svg.bar .i{stroke:#56B4E9;stroke-width:5}svg.bar .m{fill:#0072B2}
svg.bar .c{stroke:#D55E00;stroke-width:2}svg.trend{width:7em;height:22px;background:none}
svg.trend path{fill:none;stroke:#0072B2;stroke-width:1.5}svg.trend circle{fill:#0072B2}
details{border-top:1px solid #ddd;padding:.35em 0}summary{cursor:pointer;overflow-wrap:anywhere}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(18em,1fr));gap:1em;margin:.5em 0}
.box{border-left:3px solid #ccc;padding-left:.7em;min-width:0;overflow-wrap:anywhere}.box.bad{border-color:#b5362a;font-weight:400;
color:inherit}.pre{white-space:pre-wrap}
@media(prefers-color-scheme:dark){.ok{color:#5fcf94}.bad{color:#ff8d7f}.dim{color:#999}details{border-color:#444}
.box{border-color:#555}svg.bar .m,svg.trend circle{fill:#6db6e8}svg.trend path{stroke:#6db6e8}svg.bar .t{stroke:#555}}
</style>
)";

// The page in one language.
class Page {
 public:
  Page(const SuiteResult& result, const Suite& suite, const std::vector<Trend>& history, bool chinese)
      : result_(result), suite_(suite), history_(history), zh_(chinese) {}

  std::string Text() {
    std::string out = report::PageHead(Cat(suite_.name, zh_ ? " · 评测" : " · suite"), zh_) + kStyle;
    out += Cat("<h1><bdi>", Html(suite_.name), "</bdi></h1><p class=\"big\"><bdi>", Html(suite_.summary), "</bdi></p>");
    out += Verdict();
    out += Scores();
    out += Failing();
    out += Cases();
    return out + report::PageEnd();
  }

 private:
  std::string_view Say(std::string_view zh, std::string_view en) const { return zh_ ? zh : en; }

  static std::string Number(double value) {
    const double size = std::abs(value);
    return FormatFixed(value, size >= 1000 ? 0 : size >= 20 ? 1 : size >= 1 ? 2 : 3);
  }
  static std::string Signed(double value) { return Cat(value > 0 ? "+" : "−", Number(std::abs(value))); }

  std::string Verdict() const {
    size_t failed = 0;
    for (const ArmResult& arm : result_.arms) {
      for (const Cell& cell : arm.cells) failed += !cell.failures.empty();
    }
    std::string out = Cat("<p class=\"verdict ", result_.passed ? "ok" : "bad", "\">");
    if (result_.passed) {
      out += Say("✓ 全部达标", "✓ every cut-off holds");
    } else if (failed > 0) {
      out += zh_ ? Cat("✗ ", failed, " 项未达标")
                 : Cat("✗ ", failed, failed == 1 ? " cut-off is" : " cut-offs are", " missed");
    } else {
      out += Say("✗ 有用例出错", "✗ cases failed with errors");
    }
    out += Cat("</p><p class=\"dim\">", Html(result_.time.substr(0, 16)), " UTC · ", result_.cases.size(),
               Say(" 个用例 · ", " cases · "), suite_.arms.size(),
               Say(" 个方案", suite_.arms.size() == 1 ? " arm" : " arms"));
    if (!result_.baseline_run.empty()) {
      out += Cat(" · ", Say("与此前一次相比：", "against the run of "), Html(result_.baseline_time.substr(0, 16)));
    }
    out += "</p>";
    for (const std::string& note : result_.notes) out += Cat("<p class=\"dim\"><bdi>", Html(note), "</bdi></p>");
    return out;
  }

  // Score, interval and cut-off on the scale of the measure's row.
  std::string Bar(const MeasureSpec& spec, const Cell& cell, double from, double to) const {
    const auto x = [&](double value) {
      const double at = to > from ? (value - from) / (to - from) : 0.5;
      return FormatFixed(4 + 152 * std::clamp(at, 0.0, 1.0), 1);
    };
    std::string out =
        Cat("<svg class=\"bar\" viewBox=\"0 0 160 14\" role=\"img\"><title>", Number(cell.interval.low), " – ",
            Number(cell.interval.high), "</title><line class=\"t\" x1=\"4\" x2=\"156\" y1=\"7\" y2=\"7\"/>");
    out += Cat("<line class=\"i\" x1=\"", x(cell.interval.low), "\" x2=\"", x(cell.interval.high),
               "\" y1=\"7\" y2=\"7\"/>");
    for (const std::optional<double>& cut : {spec.cutoff.least, spec.cutoff.most}) {
      if (cut) out += Cat("<line class=\"c\" x1=\"", x(*cut), "\" x2=\"", x(*cut), "\" y1=\"1\" y2=\"13\"/>");
    }
    return Cat(out, "<circle class=\"m\" cx=\"", x(cell.score), "\" cy=\"7\" r=\"4\"/></svg>");
  }

  std::string TrendOf(const std::string& arm, const std::string& measure) const {
    std::vector<double> values;
    const size_t first = history_.size() > kMostRunsDrawn ? history_.size() - kMostRunsDrawn : 0;
    for (size_t i = first; i < history_.size(); ++i) {
      const auto scores = history_[i].scores.find(arm);
      if (scores == history_[i].scores.end()) continue;
      const auto at = scores->second.find(measure);
      if (at != scores->second.end() && std::isfinite(at->second)) values.push_back(at->second);
    }
    if (values.size() < 2) return "";
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    std::string path;
    std::string x, y;
    for (size_t i = 0; i < values.size(); ++i) {
      x = FormatFixed(3 + 94.0 * static_cast<double>(i) / static_cast<double>(values.size() - 1), 1);
      y = FormatFixed(*high > *low ? 18 - 14 * (values[i] - *low) / (*high - *low) : 11, 1);
      path += Cat(i == 0 ? "M" : "L", x, " ", y);
    }
    return Cat("<svg class=\"trend\" viewBox=\"0 0 100 22\" role=\"img\"><title>", values.size(),
               Say(" 次运行：", " runs: "), Number(*low), " – ", Number(*high), "</title><path d=\"", path,
               "\"/><circle cx=\"", x, "\" cy=\"", y, "\" r=\"2.5\"/></svg>");
  }

  std::string DifferenceText(const std::optional<Difference>& difference, std::string_view label, bool lower) const {
    if (!difference) return "";
    const double better = lower ? -difference->difference : difference->difference;
    const char* kind = difference->p >= 0.05 ? "dim" : better > 0 ? "ok" : "bad";
    if (difference->difference == 0) {
      return Cat("<div class=\"dim\">", zh_ ? Cat(label, "相同") : Cat("the same as ", label), "</div>");
    }
    return Cat(
        "<div class=\"", kind, "\" title=\"p = ", FormatFixed(difference->p, 4), ", ", Number(difference->low), " – ",
        Number(difference->high), ", n = ", difference->cases, "\">",
        zh_ ? Cat(label, " ", Signed(difference->difference)) : Cat(Signed(difference->difference), " on ", label),
        difference->p < 0.05 ? "" : Say("（不显著）", " (may be chance)"), "</div>");
  }

  std::string CutoffText(const MeasureSpec& spec) const {
    std::vector<std::string> parts;
    if (spec.cutoff.least) parts.push_back(Cat("≥ ", *spec.cutoff.least));
    if (spec.cutoff.most) parts.push_back(Cat("≤ ", *spec.cutoff.most));
    if (spec.cutoff.drop) parts.push_back(Cat(Say("降幅 ≤ ", "drop ≤ "), *spec.cutoff.drop));
    return Join(parts, "; ");
  }

  std::string Scores() const {
    std::string out = Cat("<h2>", Say("得分", "Scores"), "</h2><div class=\"scroll\"><table><tr><th>",
                          Say("指标", "measure"), "</th><th>", Say("要求", "cut-off"), "</th>");
    for (const ArmResult& arm : result_.arms) out += Cat("<th><bdi>", Html(arm.arm.name), "</bdi></th>");
    out += "</tr>\n";
    for (size_t m = 0; m < suite_.measures.size(); ++m) {
      const MeasureSpec& spec = suite_.measures[m];
      const bool lower = spec.measure->score().lower_is_better();
      double from = spec.measure->assertion() ? 0 : HUGE_VAL, to = spec.measure->assertion() ? 1 : -HUGE_VAL;
      for (const ArmResult& arm : result_.arms) {
        if (arm.cells[m].rows.empty()) continue;
        from = std::min(from, arm.cells[m].interval.low);
        to = std::max(to, arm.cells[m].interval.high);
      }
      for (const std::optional<double>& cut : {spec.cutoff.least, spec.cutoff.most}) {
        if (cut && std::isfinite(from)) from = std::min(from, *cut), to = std::max(to, *cut);
      }
      out += Cat("<tr><td><bdi>", Html(spec.name), "</bdi><div class=\"dim\">",
                 spec.use == spec.name ? "" : Html(spec.use), lower ? Say(" 越低越好", " lower is better") : "",
                 "</div></td><td class=\"w\">", Html(CutoffText(spec)), "</td>");
      for (const ArmResult& arm : result_.arms) out += CellHtml(spec, arm, m, from, to);
      out += "</tr>\n";
    }
    return out + "</table></div>";
  }

  std::string CellHtml(const MeasureSpec& spec, const ArmResult& arm, size_t m, double from, double to) const {
    const Cell& cell = arm.cells[m];
    if (!cell.asked) return "<td class=\"arm dim\">–</td>";
    const bool lower = spec.measure->score().lower_is_better();
    std::string out = "<td class=\"arm\">";
    if (cell.rows.empty()) {
      out += Say("没有数值", "no value");
    } else {
      out += Cat("<b class=\"", cell.failures.empty() ? (spec.cutoff.any() ? "ok" : "") : "bad", "\">",
                 Number(cell.score), "</b> <span class=\"dim\">n = ", cell.rows.size(), "</span><div class=\"draw\">",
                 Bar(spec, cell, from, to), TrendOf(arm.arm.name, spec.name), "</div>");
    }
    if (cell.missing > 0)
      out += Cat("<div class=\"bad\">", cell.missing, Say(" 个无数值", " without a value"), "</div>");
    out += DifferenceText(cell.baseline, Say("较上次", "the run before"), lower);
    const std::string& against = arm.arm.against;
    const std::string_view first =
        against.empty() ? Say("较第一个方案", "the first arm") : Say("较前一模型", "the first model");
    out += DifferenceText(cell.first, first, lower);
    return out + "</td>";
  }

  std::string OutputBox(const ArmResult& arm, size_t i, bool bad) const {
    const Output& output = arm.outputs[i];
    std::string out = Cat("<div class=\"box", bad ? " bad" : "", "\"><b><bdi>", Html(arm.arm.name), "</bdi></b>");
    if (!output.there()) {
      out += Cat("<p class=\"dim\"><bdi>", Html(output.Absence().In(zh_)), "</bdi></p>");
    } else {
      for (const auto& [field, value] : output.fields.items()) {
        out += Cat("<div class=\"pre\"><span class=\"dim\">", Html(field), "</span> <bdi>",
                   Html(TextOf(output, {field})), "</bdi></div>");
      }
    }
    for (size_t m = 0; m < suite_.measures.size(); ++m) {
      const Cell& cell = arm.cells[m];
      if (!cell.values[i]) continue;
      const Value& value = *cell.values[i];
      const bool assertion = suite_.measures[m].measure->assertion();
      if (assertion && value.held) continue;
      out += Cat("<div class=\"", assertion || !value.counted ? "bad" : "dim", "\">", assertion ? "✗ " : "",
                 Html(suite_.measures[m].name), value.counted && !assertion ? Cat(" ", Number(value.value)) : "",
                 value.reason.empty() || !output.there()  // why there is none stands above
                     ? ""
                     : Cat(Say("：", ": "), "<bdi>", Html(value.reason.In(zh_)), "</bdi>"),
                 "</div>");
    }
    return out + "</div>";
  }

  std::string InputText(size_t i) const {
    std::string out;
    for (const auto& [field, value] : result_.cases[i].fields.items()) {
      const std::string text =
          value.is_array() ? Join(value.get<std::vector<std::string>>(), " · ") : value.get<std::string>();
      if (!text.empty()) {
        out += Cat("<span class=\"dim\">", Html(field, 80), "</span> <bdi>", Html(text, 400), "</bdi>&ensp;");
      }
    }
    return out;
  }

  std::string Failing() const {
    std::string out;
    for (size_t m = 0; m < suite_.measures.size(); ++m) {
      const MeasureSpec& spec = suite_.measures[m];
      for (const ArmResult& arm : result_.arms) {
        const Cell& cell = arm.cells[m];
        if (cell.failures.empty()) continue;
        out += Cat("<h3><bdi>", Html(arm.arm.name), " · ", Html(spec.name), "</bdi>: <span class=\"bad\">",
                   Html(FailureLine(cell, zh_)), "</span></h3>");
        size_t shown = 0;
        for (const size_t i : WorstCases(cell, spec.measure->score().lower_is_better())) {
          if ((spec.measure->assertion() && cell.values[i]->held) || shown++ == kMostFailing) break;
          out += Cat("<details", shown <= 3 ? " open" : "", "><summary><b><bdi>", Html(result_.cases[i].id),
                     "</bdi></b> <bdi>", Html(cell.values[i]->reason.In(zh_)), "</bdi></summary><p>", InputText(i),
                     "</p><div class=\"two\">", OutputBox(arm, i, true));
          if (&arm != &result_.arms[0]) out += OutputBox(result_.arms[0], i, false);
          out += "</div></details>\n";
        }
      }
    }
    for (const ArmResult& arm : result_.arms) {
      for (size_t i = 0, shown = 0; i < arm.outputs.size() && shown < kMostErrors; ++i) {
        if (arm.outputs[i].error.empty()) continue;
        ++shown;
        out += Cat("<p class=\"bad\"><bdi>", Html(arm.arm.name), " · ", Html(result_.cases[i].id), ": ",
                   Html(arm.outputs[i].error), "</bdi></p>");
      }
      if (arm.errors > kMostErrors) {
        out += Cat("<p class=\"bad\">", Say("另有 ", "and "), arm.errors - kMostErrors,
                   Say(" 个用例出错，见 results.json", " more, which are in results.json"), "</p>");
      }
    }
    return out.empty() ? "" : Cat("<h2>", Say("未达标的原因", "What failed, and why"), "</h2>", out);
  }

  std::string Cases() const {
    std::string out = Cat("<h2>", Say("用例", "Cases"), "</h2>");
    if (result_.cases.size() > kMostCases) {
      out += Cat("<p class=\"dim\">", Say("这里列出前 ", "The first "), kMostCases,
                 Say(" 个，其余见 results.json", "; all of them are in results.json"), "</p>");
    }
    for (size_t i = 0; i < std::min(result_.cases.size(), kMostCases); ++i) {
      size_t failed = 0;
      for (const ArmResult& arm : result_.arms) {
        for (const Cell& cell : arm.cells) failed += cell.values[i] && !cell.values[i]->held;
      }
      out += Cat("<details><summary><b><bdi>", Html(result_.cases[i].id), "</bdi></b> ",
                 failed == 0 ? "<span class=\"ok\">✓</span>" : Cat("<span class=\"bad\">✗ ", failed, "</span>"),
                 "</summary><p>", InputText(i), "</p><div class=\"two\">");
      for (const ArmResult& arm : result_.arms) out += OutputBox(arm, i, false);
      out += "</div></details>\n";
    }
    return out;
  }

  const SuiteResult& result_;
  const Suite& suite_;
  const std::vector<Trend>& history_;
  bool zh_;
};

}  // namespace

std::string SuitePage(const SuiteResult& result, const Suite& suite, const std::vector<Trend>& history, bool chinese) {
  return Page(result, suite, history, chinese).Text();
}

}  // namespace atelier::experiment
