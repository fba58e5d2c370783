// atelier evaluate regression --true F --pred F
#include <cmath>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/evaluate_report_values.h"
#include "app/atelier/known.h"
#include "app/atelier/notes.h"
#include "app/atelier/report_option.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "evaluate/line_file.h"
#include "evaluate/rank_correlation.h"
#include "evaluate/regression.h"
#include "evaluate/value_lines.h"

namespace atelier::app {
namespace {

class RegressionCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--true", &true_, "the true numbers, one a line", true);
    cli.Text("--pred", &pred_, "the predicted numbers, line by line", true);
    report_.Declare(cli);
  }

  int Run(const Globals& globals) override {
    report_.Check({true_, pred_});
    const auto truth = evaluate::NumberLines(ReadFile(true_), true_);
    const auto predicted = evaluate::NumberLines(ReadFile(pred_), pred_);
    evaluate::MustAlign(truth.size(), true_, predicted.size(), pred_);
    const evaluate::RegressionScores scores = evaluate::ScoreRegression(truth, predicted);
    Json result{{"cases", truth.size()},
                {"mean_absolute_error", Known(scores.mean_absolute_error)},
                {"mean_squared_error", Known(scores.mean_squared_error)},
                {"root_mean_squared_error", Known(scores.root_mean_squared_error)},
                {"median_absolute_error", Known(scores.median_absolute_error)},
                {"max_error", Known(scores.max_error)},
                {"mean_absolute_percentage_error", Known(scores.mean_absolute_percentage_error)},
                {"r2", Known(scores.r2)},
                {"explained_variance", Known(scores.explained_variance)},
                {"pearson", Known(evaluate::PearsonCorrelation(truth, predicted))},
                {"spearman", Known(evaluate::SpearmanCorrelation(truth, predicted))},
                {"kendall_tau_b", Known(evaluate::KendallTauB(truth, predicted))}};
    const Notes notes = Undefined(result);
    result["notes"] = NotesJson(notes);
    PrintNotes(notes);
    if (report_.wanted()) {
      report_.Write(NumbersReport(truth, predicted, result, report_.chinese()), notes, globals, &result);
    }
    if (globals.json) {
      std::cout << ToText(result) << "\n";
      return 0;
    }
    for (const auto& [name, value] : result.items()) {
      if (value.is_string() || value.is_array()) continue;
      std::cout << ReplaceAll(name, "_", " ") << " "
                << (value.is_null()              ? "undefined"
                    : value.is_number_unsigned() ? Cat(value.get<uint64_t>())
                                                 : Cat(value.get<double>()))
                << "\n";
    }
    return 0;
  }

 private:
  // Why there is no number.
  static Notes Undefined(const Json& result) {
    Notes notes;
    if (result.at("cases") == 1) {
      notes.push_back({"one case has no r2 and no correlations", "只有一个样本：没有 R² 和相关系数"});
    } else if (result.at("spearman").is_null()) {
      notes.push_back({"all true or all predicted numbers are the same: there are no correlations",
                       "真实值或预测值全部相同：没有相关系数"});
    }
    const bool correlation_alone = result.at("pearson").is_null() && !result.at("spearman").is_null();
    if (correlation_alone || result.at("mean_squared_error").is_null()) {
      notes.push_back({"the numbers are so large or so small that their squares cannot be told from infinity or 0",
                       "数值太大或太小，平方后与无穷大或 0 无法区分"});
    }
    return notes;
  }

  std::string true_, pred_;
  ReportOption report_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateRegression() { return Make<RegressionCommand>(); }

}  // namespace atelier::app
