#include "app/atelier/evaluate_report_values.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/str.h"
#include "evaluate/kappa.h"
#include "evaluate/sums.h"
#include "report/chart.h"
#include "report/page.h"

namespace atelier::app {
namespace {

using report::Html;

constexpr size_t kMostCategories = 30;  // beyond, no picture of them helps

struct Language {
  bool chinese;
  const char* operator()(const char* english, const char* chinese_words) const {
    return chinese ? chinese_words : english;
  }
};

report::Frame Frame(const Language& say, std::string title, std::string x = "", std::string y = "", int width = 510) {
  return {.title = std::move(title),
          .x = std::move(x),
          .y = std::move(y),
          .description = "",
          .chinese = say.chinese,
          .width = width};
}

double Known(const Json& value) { return value.is_number() ? value.get<double>() : report::kMissing; }

std::string Shown(const Json& value, const Language& say) {
  if (value.is_null()) return say("undefined", "无定义");
  if (value.is_number_float()) return ReplaceAll(FormatFixed(value.get<double>(), 4), "-", "−");
  return Cat(value.get<int64_t>());
}

// What the commands' keys are in Chinese; in English they speak for themselves.
constexpr std::pair<std::string_view, const char*> kNames[] = {
    {"cases", "样本数"},
    {"questions", "问题数"},
    {"items", "条目数"},
    {"raters", "评分者数"},
    {"ratings", "评分数"},
    {"categories", "类别数"},
    {"comments", "备注数"},
    {"agreement", "一致比例"},
    {"pairs", "评分者组合数"},
    {"unweighted", "不加权"},
    {"linear", "线性加权"},
    {"quadratic", "平方加权"},
    {"nominal", "名义"},
    {"ordinal", "次序"},
    {"interval", "等距"},
    {"ratio", "等比"},
    {"cohen_kappa", "Cohen κ"},
    {"fleiss_kappa", "Fleiss κ"},
    {"krippendorff_alpha", "Krippendorff α"},
    {"mean_absolute_error", "平均绝对误差"},
    {"mean_squared_error", "均方误差"},
    {"root_mean_squared_error", "均方根误差"},
    {"median_absolute_error", "绝对误差中位数"},
    {"max_error", "最大误差"},
    {"mean_absolute_percentage_error", "平均绝对百分比误差"},
    {"r2", "R²"},
    {"explained_variance", "解释方差"},
    {"pearson", "Pearson 相关"},
    {"spearman", "Spearman 相关"},
    {"kendall_tau_b", "Kendall τ-b"},
    {"ndcg_at_k", "nDCG@k"},
    {"ndcg", "nDCG"},
    {"map", "MAP"},
    {"mrr", "MRR"},
    {"recall_at_k", "召回率@k"},
    {"precision_at_k", "精确率@k"},
};
std::string Name(const std::string& key, const Language& say) {
  const auto* known =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const auto& one) { return one.first == key; });
  return say.chinese && known != std::end(kNames) ? known->second : ReplaceAll(key, "_", " ");
}

// The plain numbers of an object as a table; of the objects in it, too, named before them.
std::string Rows(const Json& values, const Language& say, const std::string& before = "") {
  std::string out;
  for (const auto& [key, value] : values.items()) {
    const std::string label = before + Name(key, say);
    if (value.is_object()) {
      out += Rows(value, say, label + (say.chinese ? "，" : " "));
    } else if (value.is_number() || value.is_null()) {
      out += Cat("<tr><th>", Html(label), "</th><td class=\"n\">", Shown(value, say), "</td></tr>\n");
    }
  }
  return out;
}

std::string TableOf(const Json& values, const Language& say) {
  return Cat("<table class=\"k\">", Rows(values, say), "</table>\n");
}

report::LineSeries Series(std::string name, const evaluate::Curve& curve) {
  report::LineSeries series{std::move(name), {}};
  for (size_t i = 0; i < curve.x.size(); ++i) series.points.push_back({curve.x[i], curve.y[i]});
  return series;
}

}  // namespace

report::Report LabelsReport(const evaluate::Confusion& confusion, const evaluate::ClassificationScores& scores,
                            const std::vector<ClassCurves>& curves, const Json& body, bool chinese) {
  const Language say{chinese};
  report::Report made;
  made.title = say("Classification", "分类");
  made.chinese = chinese;
  const Json& measured = body.at("scores");
  Json table{{say("cases", "样本数"), body.at("cases")},
             {say("accuracy", "准确率"), scores.accuracy},
             {say("macro F1", "宏平均 F1"), scores.macro.f1},
             {say("weighted F1", "加权平均 F1"), scores.weighted.f1}};
  for (const auto& [key, name] : {std::pair("roc_auc", "ROC AUC"),
                                  {"roc_auc_macro", say("ROC AUC, macro", "ROC AUC（宏平均）")},
                                  {"average_precision", say("average precision", "平均精确率")},
                                  {"average_precision_macro", say("average precision, macro", "平均精确率（宏平均）")},
                                  {"brier", say("Brier score", "Brier 分数")},
                                  {"log_loss", say("log loss", "对数损失")},
                                  {"expected_calibration_error", say("expected calibration error", "期望校准误差")}}) {
    if (measured.is_object() && measured.contains(key)) table[name] = measured.at(key);
  }
  made.before = TableOf(table, say);

  report::ConfusionMatrix matrix;
  matrix.frame = Frame(say, say("Confusion matrix", "混淆矩阵"), say("predicted", "预测"), say("true", "真实"),
                       confusion.classes.size() > 8 ? 760 : 510);
  matrix.classes = confusion.classes;
  matrix.counts = confusion.counts;
  made.figures.push_back({"matrix", Draw(matrix)});

  report::Bars bars;
  bars.frame = Frame(say, say("Precision, recall and F1", "精确率、召回率与 F1"));
  bars.series = {say("precision", "精确率"), say("recall", "召回率"), "F1"};
  bars.low = 0;
  bars.high = 1;
  for (size_t c = 0; c < confusion.classes.size(); ++c) {
    const evaluate::ClassScore& one = scores.classes[c];
    bars.groups.push_back(
        {Cat(confusion.classes[c], " (", one.support, ")"), {{one.precision}, {one.recall}, {one.f1}}});
  }
  made.figures.push_back({"classes", Draw(bars)});

  if (!curves.empty()) {
    std::vector<report::LineSeries> roc, precision_recall;
    for (const ClassCurves& one : curves) {
      roc.push_back(Series(Cat(one.label, " (AUC ", FormatFixed(one.roc_auc, 3), ")"), one.roc));
      precision_recall.push_back(
          Series(Cat(one.label, " (AP ", FormatFixed(one.average_precision, 3), ")"), one.precision_recall));
    }
    report::Lines charts[] = {RocChart(std::move(roc), chinese),
                              PrecisionRecallChart(std::move(precision_recall), chinese)};
    for (report::Lines& chart : charts) {
      if (curves.size() == 1) {
        chart.frame.title += Cat(say(": ", "："), chart.series[0].name);
      } else if (curves.size() < confusion.classes.size()) {
        chart.frame.title += say(", the classes with most cases", "（样本最多的类别）");
      }
    }
    made.figures.push_back({"roc", Draw(charts[0])});
    made.figures.push_back({"precision_recall", Draw(charts[1])});
  }
  if (measured.is_object() && measured.contains("reliability") && measured.at("reliability").is_array()) {
    report::Calibration calibration;
    calibration.frame = Frame(say,
                              Cat(say("Calibration (error ", "校准（误差 "),
                                  FormatFixed(Known(measured.at("expected_calibration_error")), 3), say(")", "）")),
                              "", "", 460);
    for (const Json& bin : measured.at("reliability")) {
      const auto number = [&](const char* key) { return Known(bin.at(key)); };
      calibration.bins.push_back(
          {number("low"), number("high"), bin.at("count").get<int64_t>(), number("predicted"), number("observed")});
    }
    made.figures.push_back({"calibration", Draw(calibration)});
  }
  made.after = Cat("<table class=\"k\"><tr><th>", say("Class", "类别"), "</th><th class=\"n\">", bars.series[0],
                   "</th><th class=\"n\">", bars.series[1], "</th><th class=\"n\">F1</th><th class=\"n\">",
                   say("cases", "样本数"), "</th></tr>\n");
  const auto row = [&](const std::string& name, const evaluate::ClassScore& one) {
    made.after += Cat("<tr><th>", report::HtmlName(name), "</th>");
    for (const double value : {one.precision, one.recall, one.f1}) {
      made.after += Cat("<td class=\"n\">", FormatFixed(value, 4), "</td>");
    }
    made.after += Cat("<td class=\"n\">", one.support, "</td></tr>\n");
  };
  for (size_t c = 0; c < confusion.classes.size(); ++c) row(confusion.classes[c], scores.classes[c]);
  row(say("macro mean", "宏平均"), scores.macro);
  row(say("weighted mean", "加权平均"), scores.weighted);
  made.after += "</table>\n";
  return made;
}

report::Report NumbersReport(std::span<const double> truth, std::span<const double> predicted, const Json& body,
                             bool chinese) {
  const Language say{chinese};
  report::Report made;
  made.title = say("Regression", "回归");
  made.chinese = chinese;
  made.before = TableOf(body, say);
  report::Scatter values;
  values.frame =
      Frame(say, say("Predicted against true", "预测值与真实值"), say("true", "真实值"), say("predicted", "预测值"));
  values.diagonal = true;
  values.series.push_back({say("cases", "样本"), {}});
  report::Histogram errors;
  errors.frame = Frame(say, say("Errors: predicted less true", "误差：预测值减真实值"), say("error", "误差"),
                       say("cases", "样本数"));
  errors.series.push_back({say("errors", "误差"), {}});
  for (size_t i = 0; i < truth.size(); ++i) {
    values.series[0].points.push_back({truth[i], predicted[i]});
    errors.series[0].values.push_back(predicted[i] - truth[i]);
  }
  made.figures.push_back({"values", Draw(values)});
  made.figures.push_back({"errors", Draw(errors)});
  return made;
}

report::Report RankingReport(std::span<const double> ndcg, std::span<const size_t> lines, const Json& body,
                             bool chinese) {
  const Language say{chinese};
  report::Report made;
  made.title = say("Ranking", "排序");
  made.chinese = chinese;
  made.before = TableOf(body, say);
  report::Bars bars;
  bars.frame = Frame(say, say("Means over questions", "各问题的平均"));
  for (const auto& [name, value] : body.items()) {
    if (value.is_number_float()) bars.groups.push_back({Name(name, say), {{value.get<double>()}}});
  }
  made.figures.push_back({"measures", Draw(bars)});
  const std::string measure = Cat("nDCG@", body.at("k").get<uint64_t>());
  report::Histogram questions;
  questions.frame =
      Frame(say, Cat(measure, say(" of the questions", "在各问题上的分布")), measure, say("questions", "问题数"));
  questions.series.push_back({measure, {ndcg.begin(), ndcg.end()}});
  questions.low = 0;
  questions.high = 1;
  made.figures.push_back({"questions", Draw(questions)});
  std::vector<size_t> order(ndcg.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ndcg[a] < ndcg[b]; });
  made.after = Cat("<h2>", say("The worst questions", "最差的问题"), "</h2>\n<table class=\"k\"><tr><th>",
                   say("Line", "行号"), "</th><th class=\"n\">", measure, "</th></tr>\n");
  for (size_t i = 0; i < order.size() && i < 20; ++i) {
    made.after +=
        Cat("<tr><td>", lines[order[i]], "</td><td class=\"n\">", FormatFixed(ndcg[order[i]], 4), "</td></tr>\n");
  }
  made.after += "</table>\n";
  return made;
}

report::Report FormReport(const evaluate::FormRatings& ratings, const Json& body, bool chinese) {
  const Language say{chinese};
  report::Report made;
  made.title = say("Agreement of raters", "评分者一致性");
  made.chinese = chinese;
  made.before = TableOf(body, say);
  for (size_t i = 0; i < ratings.criteria.size(); ++i) {
    const auto& [name, given] = ratings.criteria[i];
    report::Report one = AgreementReport(given, body.at("criteria").at(i), chinese, name + say(": ", "："));
    one.figures[0].above = Cat("<h2>", report::HtmlName(name), "</h2>\n", one.before);
    for (report::Figure& figure : one.figures) {
      figure.name = Cat(name, ".", figure.name);
      made.figures.push_back(std::move(figure));
    }
  }
  return made;
}

report::Report AgreementReport(const evaluate::Ratings& ratings, const Json& body, bool chinese,
                               const std::string& of) {
  const Language say{chinese};
  const size_t raters = ratings.raters.size(), categories = ratings.categories.size();
  report::Report made;
  made.title = say("Agreement of raters", "评分者一致性");
  made.chinese = chinese;
  made.before = TableOf(body, say);

  report::Bars measures;
  measures.frame = Frame(
      say, of + say("Agreement beyond chance (1: perfect, 0: chance)", "超出偶然的一致性（1 为完全一致，0 为偶然）"));
  const auto add = [&](const std::string& name, const Json& value) {
    if (value.is_number()) measures.groups.push_back({name, {{value.get<double>()}}});
  };
  const Json& cohen = body.at("cohen_kappa");
  add(say("Cohen's kappa", "Cohen κ"), cohen.at("unweighted"));
  add(say("Cohen's kappa, linear", "Cohen κ（线性加权）"), cohen.at("linear"));
  add(say("Cohen's kappa, quadratic", "Cohen κ（平方加权）"), cohen.at("quadratic"));
  add(say("Fleiss' kappa", "Fleiss κ"), body.at("fleiss_kappa"));
  for (const auto& [level, alpha] : body.at("krippendorff_alpha").items()) {
    add(Cat("Krippendorff α", say(", ", "，"), Name(level, say)), alpha);
  }
  measures.high = 1;
  made.figures.push_back({"measures", Draw(measures)});

  if (raters == 2 && categories <= kMostCategories) {
    report::ConfusionMatrix matrix;
    matrix.frame = Frame(say, of + say("What one rater chose where the other chose", "一人所选与另一人所选"),
                         ratings.raters[1], ratings.raters[0], categories > 8 ? 760 : 510);
    matrix.classes = ratings.categories;
    matrix.counts = evaluate::CountPairs(ratings, 0, 1);
    made.figures.push_back({"pair", Draw(matrix)});
  } else if (categories <= kMostCategories) {
    report::Bars kappas;
    kappas.frame = Frame(say, of + say("Cohen's kappa of pairs, the lowest first", "两两之间的 Cohen κ，最低在前"));
    for (size_t a = 0; a < raters && raters <= 50; ++a) {
      for (size_t b = a + 1; b < raters; ++b) {
        const double kappa = evaluate::CohenKappa(evaluate::CountPairs(ratings, a, b), categories);
        if (std::isfinite(kappa))
          kappas.groups.push_back({Cat(ratings.raters[a], " – ", ratings.raters[b]), {{kappa}}});
      }
    }
    std::stable_sort(kappas.groups.begin(), kappas.groups.end(),
                     [](const auto& a, const auto& b) { return a.values[0].value < b.values[0].value; });
    kappas.high = 1;
    if (!kappas.groups.empty()) made.figures.push_back({"kappas", Draw(kappas)});
  }
  if (categories <= kMostCategories) {
    report::Bars chosen;
    chosen.frame = Frame(say, of + say("How often each category was chosen", "各类别被选的次数"));
    chosen.series = ratings.raters;
    chosen.decimals = 0;
    for (size_t c = 0; c < categories; ++c) {
      report::BarGroup group{ratings.categories[c], std::vector<report::BarValue>(raters, {0})};
      for (size_t item = 0; item < ratings.items(); ++item) {
        for (size_t r = 0; r < raters; ++r) group.values[r].value += ratings.at(item, r) == static_cast<int32_t>(c);
      }
      chosen.groups.push_back(std::move(group));
    }
    made.figures.push_back({"categories", Draw(chosen)});
  }
  return made;
}

}  // namespace atelier::app
