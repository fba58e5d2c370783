// atelier evaluate classification PREDICTIONS.jsonl | --true F --pred F [--scores F]
#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <set>

#include "app/atelier/command.h"
#include "app/atelier/evaluate_report_values.h"
#include "app/atelier/known.h"
#include "app/atelier/list_option.h"
#include "app/atelier/notes.h"
#include "app/atelier/prediction_lines.h"
#include "app/atelier/report_option.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "evaluate/calibration.h"
#include "evaluate/classification.h"
#include "evaluate/curves.h"
#include "evaluate/line_file.h"
#include "evaluate/sums.h"
#include "evaluate/value_lines.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

using evaluate::ClassificationScores;
using evaluate::ClassScore;

constexpr size_t kMostClasses = 2000;  // the confusion matrix is their square

Json ScoreJson(const ClassScore& score) {
  return {{"precision", score.precision}, {"recall", score.recall}, {"f1", score.f1}, {"support", score.support}};
}

class ClassificationCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("predictions", &predictions_,
             "JSON lines with label, predicted and probabilities, as a classifier trained here writes them");
    cli.Text("--true", &true_, "in its place: the true labels, one a line");
    cli.Text("--pred", &pred_, "the predicted labels, line by line");
    cli.Text("--scores", &scores_,
             "probabilities or other scores, line by line: one number for the positive class, or one per class");
    cli.Texts("--classes", &classes_,
              "every class there may be, in the order to show: a,b,c, or repeated; without it, those that occur");
    cli.Text("--positive", &positive_, "of two classes the one that a single score is for; without it, the last");
    cli.Int("--bins", &bins_, "bins of the reliability curve", 1, 1000);
    cli.Int("--digits", &digits_, "decimals of the table", 0, 17);
    report_.Declare(cli);
  }

  int Run(const Globals& globals) override {
    CheckInputs();
    report_.Check({true_, pred_, scores_});
    classes_ = ReadList("--classes", std::move(classes_));
    Predictions predictions;
    if (!predictions_.empty()) predictions = ReadPredictions(predictions_);
    const std::string true_text = predictions_.empty() ? ReadFile(true_) : std::move(predictions.labels);
    const std::string pred_text = predictions_.empty() ? ReadFile(pred_) : std::move(predictions.predicted);
    if (!predictions.scores.empty()) {
      if (!classes_.empty() && classes_ != predictions.classes) {
        throw Error(Code::kUsage, Cat("--classes: ", predictions_,
                                      " names its classes itself: ", Quote(Join(predictions.classes, ", "), 200)));
      }
      classes_ = predictions.classes;
    }
    const auto true_labels = evaluate::LabelLines(true_text, true_),
               pred_labels = evaluate::LabelLines(pred_text, pred_);
    evaluate::MustAlign(true_labels.size(), true_, pred_labels.size(), pred_);
    if (classes_.empty()) classes_ = evaluate::FindClasses(true_labels, pred_labels);
    if (classes_.size() > kMostClasses) {
      throw Error(Code::kInvalidInput,
                  Cat(true_, " and ", pred_, ": hold ", classes_.size(), " different labels, more than ", kMostClasses),
                  "labels are a few names that occur again and again; for free texts see rouge and exact-match");
    }
    truth_ = evaluate::ClassIndices(true_labels, classes_, true_);
    const auto confusion =
        evaluate::CountConfusion(classes_, truth_, evaluate::ClassIndices(pred_labels, classes_, pred_));
    const ClassificationScores scores = evaluate::ScoreClasses(confusion);
    NoteZeros(scores);
    Json curves;
    if (!predictions.scores.empty()) {
      curves = MeasureScores(predictions.scores);
    } else if (predictions_.empty() && !scores_.empty()) {
      curves = MeasureScores(evaluate::NumberRows(ReadFile(scores_), scores_));
    }
    const std::string report = evaluate::ReportText(confusion, scores, static_cast<int>(digits_));
    PrintNotes(notes_);
    Json result;
    if (globals.json || report_.wanted()) result = Body(confusion, scores, curves, report);
    if (report_.wanted()) {
      report_.Write(LabelsReport(confusion, scores, curves_, result, report_.chinese()), notes_, globals, &result,
                    "report_file");  // "report" is the table
    }
    if (globals.json) {
      std::cout << ToText(result) << "\n";
      return 0;
    }
    evaluate::Confusion shown = confusion;
    for (std::string& name : shown.classes) name = text::ForTerminal(name);
    std::cout << evaluate::ReportText(shown, scores, static_cast<int>(digits_));
    if (!curves.is_null()) Print(curves);
    return 0;
  }

 private:
  // One file of predictions, which then stands for all three, or two of labels.
  void CheckInputs() {
    if (predictions_.empty()) {
      if (!true_.empty() && !pred_.empty()) return;
      throw Error(Code::kUsage, "a file of predictions is wanted, or --true and --pred");
    }
    if (!true_.empty() || !pred_.empty() || !scores_.empty()) {
      throw Error(Code::kUsage,
                  "a file of predictions holds what --true, --pred and --scores would: give one or the other");
    }
    true_ = pred_ = scores_ = predictions_;
  }

  Json Body(const evaluate::Confusion& confusion, const ClassificationScores& scores, const Json& curves,
            const std::string& report) const {
    Json classes = Json::array(), matrix = Json::array();
    for (size_t c = 0; c < classes_.size(); ++c) {
      Json one{{"label", classes_[c]}};
      one.update(ScoreJson(scores.classes[c]));
      classes.push_back(std::move(one));
      Json row = Json::array();
      for (size_t other = 0; other < classes_.size(); ++other) row.push_back(confusion.count(c, other));
      matrix.push_back(std::move(row));
    }
    return {{"cases", truth_.size()},
            {"accuracy", scores.accuracy},
            {"macro", ScoreJson(scores.macro)},
            {"weighted", ScoreJson(scores.weighted)},
            {"classes", std::move(classes)},
            {"confusion", std::move(matrix)},
            {"scores", curves},
            {"report", report},
            {"notes", NotesJson(notes_)}};
  }

  void NoteZeros(const ClassificationScores& scores) {
    const auto note = [&](const std::vector<size_t>& which, const char* english, const char* chinese) {
      if (which.empty()) return;
      std::vector<std::string> names;
      for (const size_t c : which) names.push_back(classes_[c]);
      const std::string quoted = Quote(Join(names, ", "), 200);
      notes_.push_back({Cat(english, " and counts as 0: ", quoted), Cat(chinese, "，按 0 计：", quoted)});
    };
    note(scores.no_predicted, "no case is predicted for these classes, so that their precision is undefined",
         "没有样本被预测为这些类别，精确率无定义");
    note(scores.no_true, "no case is truly of these classes, so that their recall is undefined",
         "没有样本真正属于这些类别，召回率无定义");
    note(scores.neither, "these classes do not occur at all, so that their F1 is undefined",
         "这些类别从未出现，F1 无定义");
  }

  // One number a line, or one per class: then [case][class].
  Json MeasureScores(const std::vector<std::vector<double>>& rows) {
    const size_t n = classes_.size();
    evaluate::MustAlign(truth_.size(), true_, rows.size(), scores_);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].size() == rows[0].size() && (rows[i].size() == n || (rows[i].size() == 1 && n == 2))) continue;
      throw Error(Code::kInvalidInput,
                  Cat(scores_, ":", i + 1, ": holds ", rows[i].size(), " numbers for ", n, " classes"),
                  "one number per class in every line, or for two classes one number, the positive class's");
    }
    if (std::set<uint32_t>(truth_.begin(), truth_.end()).size() < 2) {
      throw Error(Code::kInvalidInput,
                  Cat(true_, ": every label is ", Quote(classes_[truth_[0]]),
                      ": scores can only be measured where two classes occur"),
                  "leave --scores out, or add cases of another class");
    }
    return n == 2 ? MeasureTwo(rows) : MeasureMany(rows);
  }

  size_t Positive() const {
    if (positive_.empty()) return 1;
    const auto at = std::find(classes_.begin(), classes_.end(), positive_);
    if (at == classes_.end()) {
      throw Error(Code::kUsage, Cat("--positive ", Quote(positive_), " is none of the classes"),
                  Cat("they are ", Quote(Join(classes_, ", "), 200)));
    }
    return static_cast<size_t>(at - classes_.begin());
  }

  Json MeasureTwo(const std::vector<std::vector<double>>& rows) {
    const size_t positive = Positive();
    std::vector<uint8_t> is_positive;
    std::vector<double> values, both;
    for (size_t i = 0; i < rows.size(); ++i) {
      is_positive.push_back(truth_[i] == positive ? 1 : 0);
      values.push_back(rows[i].size() == 1 ? rows[i][0] : rows[i][positive]);
      for (size_t c = 0; c < 2; ++c) {
        both.push_back(rows[i].size() == 2 ? rows[i][c] : c == positive ? values[i] : 1 - values[i]);
      }
    }
    const evaluate::Curve roc = evaluate::RocCurve(is_positive, values);
    const evaluate::Curve pr = evaluate::PrecisionRecallCurve(is_positive, values);
    Json result{{"positive", classes_[positive]},
                {"roc_auc", evaluate::RocAuc(is_positive, values)},
                {"average_precision", evaluate::AveragePrecision(is_positive, values)}};
    if (report_.wanted()) {
      curves_.push_back(
          {classes_[positive], result["roc_auc"].get<double>(), result["average_precision"].get<double>(), roc, pr});
    }
    Calibrate(is_positive, values, both, &result);
    // The first threshold of a ROC curve is infinite: null.
    result["roc"] = {{"false_positive_rate", Known(roc.x)},
                     {"true_positive_rate", Known(roc.y)},
                     {"thresholds", Known(roc.thresholds)}};
    result["precision_recall"] = {
        {"recall", Known(pr.x)}, {"precision", Known(pr.y)}, {"thresholds", Known(pr.thresholds)}};
    return result;
  }

  // The classes whose curves a report draws: those with most cases.
  std::set<size_t> Drawn() const {
    if (!report_.wanted()) return {};
    std::vector<size_t> cases(classes_.size()), order(classes_.size());
    for (const uint32_t c : truth_) ++cases[c];
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return cases[a] > cases[b]; });
    order.resize(std::min(order.size(), kMostCurves));
    return {order.begin(), order.end()};
  }

  // Each class against the rest; calibration by the class that scores highest.
  Json MeasureMany(const std::vector<std::vector<double>>& rows) {
    const size_t n = classes_.size();
    std::vector<double> all, best, areas, precisions, weights;
    std::vector<uint8_t> right;
    for (size_t i = 0; i < rows.size(); ++i) {
      all.insert(all.end(), rows[i].begin(), rows[i].end());
      const auto top = std::max_element(rows[i].begin(), rows[i].end());
      best.push_back(*top);
      right.push_back(static_cast<size_t>(top - rows[i].begin()) == truth_[i] ? 1 : 0);
    }
    const std::set<size_t> drawn = Drawn();
    Json classes = Json::array();
    for (size_t c = 0; c < n; ++c) {
      std::vector<uint8_t> is_class;
      std::vector<double> values;
      for (size_t i = 0; i < rows.size(); ++i) {
        is_class.push_back(truth_[i] == c ? 1 : 0);
        values.push_back(rows[i][c]);
      }
      const auto support = std::accumulate(is_class.begin(), is_class.end(), 0.0);
      if (support == 0) {
        const std::string name = Quote(classes_[c]);
        notes_.push_back({Cat("no case is truly ", name, ": it has no curves and is left out of their means"),
                          Cat("没有样本真正属于 ", name, "：它没有曲线，也不计入平均")});
        classes.push_back({{"label", classes_[c]}, {"roc_auc", Json()}, {"average_precision", Json()}});
        continue;
      }
      areas.push_back(evaluate::RocAuc(is_class, values));
      precisions.push_back(evaluate::AveragePrecision(is_class, values));
      weights.push_back(support);
      if (drawn.contains(c)) {
        curves_.push_back({classes_[c], areas.back(), precisions.back(), evaluate::RocCurve(is_class, values),
                           evaluate::PrecisionRecallCurve(is_class, values)});
      }
      classes.push_back({{"label", classes_[c]}, {"roc_auc", areas.back()}, {"average_precision", precisions.back()}});
    }
    const auto weighted = [&](std::vector<double> values) {
      for (size_t i = 0; i < values.size(); ++i) values[i] *= weights[i];
      return evaluate::Sum(values) / evaluate::Sum(weights);
    };
    Json result{{"roc_auc_macro", evaluate::Mean(areas)},
                {"roc_auc_weighted", weighted(areas)},
                {"average_precision_macro", evaluate::Mean(precisions)},
                {"average_precision_weighted", weighted(precisions)}};
    Calibrate(right, best, all, &result);
    result["classes"] = std::move(classes);
    return result;
  }

  // `chance` is said of what `came_true`; `all` is [case][class].
  void Calibrate(const std::vector<uint8_t>& came_true, const std::vector<double>& chance,
                 const std::vector<double>& all, Json* result) {
    const size_t n = classes_.size();
    constexpr double kSlack = 1e-6;  // of a row's sum: probabilities are written with few digits
    for (size_t i = 0; i < truth_.size(); ++i) {
      double sum = 0;
      bool in_range = true;
      for (size_t c = 0; c < n; ++c) {
        const double p = all[i * n + c];
        in_range = in_range && p >= 0 && p <= 1;
        sum += p;
      }
      if (in_range && std::abs(sum - 1) <= kSlack) continue;
      const std::string place = Cat(scores_, ":", i + 1);
      notes_.push_back(
          {Cat(place, ": ", in_range ? Cat("the numbers sum to ", sum, ", not 1") : "a score is outside 0 to 1",
               ": no probabilities, so that calibration is not measured"),
           Cat(place, "：", in_range ? Cat("各数之和是 ", sum, "，不是 1") : "有分数在 0 到 1 之外",
               "，不是概率，所以不算校准")});
      for (const char* name : {"brier", "log_loss", "expected_calibration_error", "reliability"})
        (*result)[name] = Json();
      return;
    }
    const auto bins = evaluate::ReliabilityBins(came_true, chance, static_cast<size_t>(bins_));
    (*result)["brier"] = evaluate::BrierScore(truth_, all, n);
    (*result)["log_loss"] = evaluate::LogLoss(truth_, all, n);
    (*result)["expected_calibration_error"] = evaluate::ExpectedCalibrationError(bins);
    Json list = Json::array();
    for (const evaluate::ReliabilityBin& bin : bins) {
      list.push_back({{"low", bin.low},
                      {"high", bin.high},
                      {"count", bin.count},
                      {"predicted", bin.count > 0 ? Json(bin.predicted) : Json()},
                      {"observed", bin.count > 0 ? Json(bin.observed) : Json()}});
    }
    (*result)["reliability"] = std::move(list);
  }

  static void Print(const Json& curves) {
    std::cout << "\n";
    for (const auto& [name, value] : curves.items()) {
      if (value.is_number())
        std::cout << ReplaceAll(name, "_", " ") << " " << FormatFixed(value.get<double>(), 4) << "\n";
    }
  }

  std::string predictions_, true_, pred_, scores_, positive_;
  std::vector<std::string> classes_;
  Notes notes_;
  std::vector<uint32_t> truth_;
  int64_t bins_ = 10, digits_ = 2;
  std::vector<ClassCurves> curves_;  // for a report
  ReportOption report_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateClassification() { return Make<ClassificationCommand>(); }

}  // namespace atelier::app
