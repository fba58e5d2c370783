#include "app/atelier/evaluate_report_texts.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/str.h"
#include "report/chart.h"
#include "report/page.h"
#include "report/word_diff.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

using report::Html;

constexpr size_t kLines = 10;  // of each table

struct Words {
  const char *lines, *hypothesis, *baseline, *reference, *score, *interval, *difference, *p_bootstrap, *p_randomisation,
      *length, *count, *of_lines, *against_length, *distribution, *differences, *all_lines, *worst, *best, *losses,
      *gains, *line, *marks, *lower_is_better;
};
constexpr Words kEnglish = {"lines",
                            "hypothesis",
                            "baseline",
                            "reference",
                            "score",
                            "95 % interval",
                            "difference",
                            "p by bootstrap",
                            "p by exchange of lines",
                            "characters of the reference",
                            "lines",
                            "score of the line",
                            "Line scores against length",
                            "Distribution of line scores",
                            "Line scores: hypothesis less baseline",
                            "All lines, the worst first",
                            "The worst lines",
                            "The best lines",
                            "Most lost against the baseline",
                            "Most won against the baseline",
                            "Line",
                            "Struck out: only in the reference. Underlaid: only in the text that is measured.",
                            "lower is better"};
constexpr Words kChinese = {"行",
                            "待评文本",
                            "基线",
                            "参考",
                            "分数",
                            "95 % 区间",
                            "差值",
                            "p（自助法）",
                            "p（逐行交换）",
                            "参考的字符数",
                            "行数",
                            "该行分数",
                            "每行分数与长度",
                            "每行分数的分布",
                            "每行分数之差：待评文本减基线",
                            "全部各行，最差在前",
                            "最差的行",
                            "最好的行",
                            "比基线退步最多",
                            "比基线进步最多",
                            "行号",
                            "删除线：只见于参考；底色：只见于被评文本。",
                            "越低越好"};

class Builder {
 public:
  Builder(const TextsResult& result, bool chinese)
      : r_(result), chinese_(chinese), w_(chinese ? kChinese : kEnglish), names_(result.metric->names()) {
    scores_ = LineScores(*r_.counts);
    if (r_.baseline_counts != nullptr) baseline_scores_ = LineScores(*r_.baseline_counts);
    unit_ = r_.metric->scale() <= 1;
  }

  report::Report Build() {
    report::Report made;
    made.title = r_.metric->title();
    made.chinese = chinese_;
    made.before = Summary();
    made.figures.push_back({"scores", Draw(Bars())});
    made.figures.push_back({"lengths", Draw(Lengths())});
    made.figures.push_back({"lines", Draw(Distribution())});
    if (HasBaseline()) made.figures.push_back({"differences", Draw(Differences())});
    made.after = Tables();
    return made;
  }

 private:
  bool HasBaseline() const { return r_.baseline_counts != nullptr; }
  std::vector<double> LineScores(const evaluate::LineCounts& counts) const {
    std::vector<double> scores;
    for (size_t line = 0; line < counts.size(); ++line) scores.push_back(r_.metric->LineScore(counts.row(line), 0));
    return scores;
  }
  int Decimals() const { return unit_ ? 4 : 2; }
  std::string Show(double value) const { return ReplaceAll(FormatFixed(value, Decimals()), "-", "−"); }
  std::string Label(size_t which) const { return names_.size() == 1 ? r_.metric->title() : names_[which]; }

  report::Frame Frame(const std::string& title, const std::string& x, const std::string& y) const {
    return {.title = title, .x = x, .y = y, .description = "", .chinese = chinese_, .width = 510};
  }

  // What the command says under `key` of score `which`; null without it.
  Json Said(const char* key, size_t which) const {
    if (!r_.body->contains(key)) return nullptr;
    const Json& all = r_.body->at(key);
    return names_.size() == 1 ? all : all.value(names_[which], Json());
  }
  static report::BarValue Number(const Json& score, const Json& interval = nullptr) {
    report::BarValue value;
    if (score.is_number()) value.value = score.get<double>();
    if (!interval.is_object()) return value;
    value.low = interval.at("low").get<double>();
    value.high = interval.at("high").get<double>();
    return value;
  }
  report::BarValue Score(size_t which) const { return Number(r_.body->at(names_[which]), Said("bootstrap", which)); }
  report::BarValue BaselineScore(size_t which) const {
    const Json said = Said("baseline", which);
    return Number(said.value("score", Json()), said.value("bootstrap", Json()));
  }

  report::Bars Bars() const {
    report::Bars chart;
    chart.frame = Frame(r_.metric->title(), r_.metric->lower_is_better() ? w_.lower_is_better : "", "");
    chart.series = {w_.hypothesis};
    if (HasBaseline()) chart.series.emplace_back(w_.baseline);
    for (size_t which = 0; which < names_.size(); ++which) {
      report::BarGroup group{Label(which), {Score(which)}};
      if (HasBaseline()) group.values.push_back(BaselineScore(which));
      chart.groups.push_back(std::move(group));
    }
    chart.decimals = Decimals();
    return chart;
  }

  // What the numbers of single lines are, where a metric has several.
  std::string OfLines() const { return names_.size() == 1 ? w_.of_lines : Cat(w_.of_lines, ", ", names_[0]); }

  report::Scatter Lengths() const {
    report::Scatter chart;
    chart.frame = Frame(w_.against_length, w_.length, OfLines());
    const auto add = [&](const char* name, const std::vector<double>& scores) {
      report::ScatterSeries series{name, {}};
      for (size_t line = 0; line < scores.size(); ++line) {
        series.points.push_back({static_cast<double>(text::CountChars(Reference(line))), scores[line]});
      }
      chart.series.push_back(std::move(series));
    };
    add(w_.hypothesis, scores_);
    if (HasBaseline()) add(w_.baseline, baseline_scores_);
    return chart;
  }

  report::Histogram Distribution() const {
    report::Histogram chart;
    chart.frame = Frame(w_.distribution, OfLines(), w_.count);
    chart.series.push_back({w_.hypothesis, scores_});
    if (HasBaseline()) chart.series.push_back({w_.baseline, baseline_scores_});
    chart.low = 0;
    chart.high = unit_ ? 1 : 100;
    return chart;
  }

  report::Histogram Differences() const {
    report::Histogram chart;
    chart.frame = Frame(w_.differences, w_.difference, w_.count);
    chart.series.push_back({w_.difference, {}});
    for (size_t line = 0; line < scores_.size(); ++line) {
      chart.series[0].values.push_back(scores_[line] - baseline_scores_[line]);
    }
    return chart;
  }

  // The first that is not empty.
  std::string_view Reference(size_t line) const {
    for (const auto& reference : r_.references) {
      if (!reference[line].empty()) return reference[line];
    }
    return "";
  }
  // The one that differs least from `text`.
  std::string_view Nearest(std::string_view text, size_t line) const {
    std::string_view nearest = Reference(line);
    size_t least = SIZE_MAX;
    for (const auto& reference : r_.references) {
      if (r_.references.size() == 1 || reference[line].empty()) continue;
      const size_t words = report::DiffWords(report::WordDiff(reference[line].substr(0, 2000), text.substr(0, 2000)));
      if (words < least) {
        least = words;
        nearest = reference[line];
      }
    }
    return nearest;
  }

  static std::string Cell(const std::string& text) { return Cat("<td class=\"n\">", text, "</td>"); }
  std::string Range(const report::BarValue& bar) const {
    return std::isnan(bar.low) ? "–" : Cat(Show(bar.low), " – ", Show(bar.high));
  }

  std::string Summary() const {
    const bool intervals = !Said("bootstrap", 0).is_null();
    std::string out = Cat("<p class=\"big\">", r_.hypotheses.size(), " ", w_.lines);
    if (r_.metric->lower_is_better()) out += Cat(" · ", w_.lower_is_better);
    out += Cat("</p>\n<table class=\"k\"><tr><th></th><th class=\"n\">", w_.score, "</th>");
    if (intervals) out += Cat("<th class=\"n\">", w_.interval, "</th>");
    if (HasBaseline()) {
      out += Cat("<th class=\"n\">", w_.baseline, "</th><th class=\"n\">", w_.difference, "</th><th class=\"n\">",
                 w_.interval, "</th><th class=\"n\">", w_.p_bootstrap, "</th><th class=\"n\">", w_.p_randomisation,
                 "</th>");
    }
    out += "</tr>\n";
    for (size_t which = 0; which < names_.size(); ++which) {
      const report::BarValue score = Score(which);
      out += Cat("<tr><th>", Html(Label(which)), "</th>", Cell(Show(score.value)));
      if (intervals) out += Cell(Range(score));
      if (HasBaseline()) {
        const Json said = Said("comparison", which);
        report::BarValue difference;
        difference.value = said.value("difference", 0.0);
        difference.low = said.value("low", report::kMissing);
        difference.high = said.value("high", report::kMissing);
        const auto p = [&](const char* key) {
          return Cell(said.contains(key) ? FormatFixed(said.at(key).get<double>(), 4) : "–");
        };
        out += Cat(Cell(Show(BaselineScore(which).value)),
                   Cell(Cat(difference.value > 0 ? "+" : "", Show(difference.value))), Cell(Range(difference)),
                   p("p_bootstrap"), p("p_randomisation"));
      }
      out += "</tr>\n";
    }
    return Cat(out, "</table>\n<p><code>", Html(r_.body->value("signature", "")), "</code></p>\n");
  }

  std::string Tables() const {
    std::vector<size_t> order(scores_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const bool low_first = !r_.metric->lower_is_better();
    const auto by = [&](const auto& value) {
      std::stable_sort(order.begin(), order.end(),
                       [&](size_t a, size_t b) { return low_first ? value(a) < value(b) : value(a) > value(b); });
    };
    by([&](size_t line) { return scores_[line]; });
    std::string out = Cat("<p>", w_.marks, "</p>\n");
    if (order.size() <= 2 * kLines) {
      out += Table(w_.all_lines, order);
    } else {
      out += Table(w_.worst, {order.begin(), order.begin() + kLines});
      out += Table(w_.best, {order.rbegin(), order.rbegin() + kLines});
    }
    if (!HasBaseline()) return out;
    const auto difference = [&](size_t line) { return scores_[line] - baseline_scores_[line]; };
    by(difference);
    std::vector<size_t> losses, gains;
    for (size_t i = 0; i < order.size() && losses.size() < kLines; ++i) {
      const double d = difference(order[i]);
      if (low_first ? d < 0 : d > 0) losses.push_back(order[i]);
    }
    for (size_t i = order.size(); i-- > 0 && gains.size() < kLines;) {
      const double d = difference(order[i]);
      if (low_first ? d > 0 : d < 0) gains.push_back(order[i]);
    }
    if (!losses.empty()) out += Table(w_.losses, losses);
    if (!gains.empty()) out += Table(w_.gains, gains);
    return out;
  }

  std::string Table(const char* title, const std::vector<size_t>& lines) const {
    std::string out = Cat("<h2>", title, "</h2>\n<table><tr><th class=\"n w\">", w_.line,
                          "</th><th></th><th class=\"n w\">", w_.score, "</th><th></th></tr>\n");
    for (const size_t line : lines) {
      const std::string_view reference = Nearest(r_.hypotheses[line], line);
      const report::MarkedDifference marked = report::MarkDifference(reference, r_.hypotheses[line]);
      const auto row = [&](const std::string& number, const char* name, const std::string& score,
                           const std::string& text) {
        out += Cat("<tr><td class=\"n w\">", number, "</td><th class=\"w\">", name, "</th><td class=\"n w\">", score,
                   "</td><td class=\"s\"><bdi>", text, "</bdi></td></tr>\n");
      };
      row(Cat(line + 1), w_.reference, "", marked.before);
      row("", w_.hypothesis, Show(scores_[line]), marked.after);
      if (HasBaseline()) {
        row("", w_.baseline, Show(baseline_scores_[line]), report::MarkDifference(reference, r_.baseline[line]).after);
      }
    }
    return Cat(out, "</table>\n");
  }

  const TextsResult& r_;
  bool chinese_;
  const Words& w_;
  std::vector<std::string> names_;
  std::vector<double> scores_, baseline_scores_;
  bool unit_ = false;  // scores lie in 0..1, not in 0..100
};

}  // namespace

report::Report TextsReport(const TextsResult& result, bool chinese) { return Builder(result, chinese).Build(); }

}  // namespace atelier::app
