// atelier evaluate ranking --true F --scores F -k 10
#include <algorithm>
#include <cmath>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/evaluate_report_values.h"
#include "app/atelier/notes.h"
#include "app/atelier/report_option.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "evaluate/curves.h"
#include "evaluate/line_file.h"
#include "evaluate/rank_correlation.h"
#include "evaluate/ranking.h"
#include "evaluate/sums.h"
#include "evaluate/value_lines.h"

namespace atelier::app {
namespace {

class RankingCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--true", &true_, "gains of each question's things, a question a line: 3 0 1 ...; 0 is irrelevant", true);
    cli.Text("--scores", &scores_, "the scores that rank the same things, line by line", true);
    cli.Int("-k", &k_, "how many at the top count", 1, 1 << 30);
    report_.Declare(cli);
  }

  int Run(const Globals& globals) override {
    report_.Check({true_, scores_});
    const auto gains = evaluate::NumberRows(ReadFile(true_), true_);
    const auto scores = evaluate::NumberRows(ReadFile(scores_), scores_);
    evaluate::MustAlign(gains.size(), true_, scores.size(), scores_);
    const auto k = static_cast<size_t>(k_);
    std::vector<double> ndcg, ndcg_all, map, mrr, recall, precision, tau, rho;
    std::vector<size_t> lines;  // of the questions that count
    size_t hopeless = 0;
    for (size_t i = 0; i < gains.size(); ++i) {
      Check(gains[i], scores[i], i + 1);
      if (std::all_of(gains[i].begin(), gains[i].end(), [](double gain) { return gain == 0; })) {
        ++hopeless;
        continue;
      }
      const evaluate::Ranked ranked = evaluate::RankByScore(gains[i], scores[i]);
      std::vector<uint8_t> relevant;
      for (const double gain : gains[i]) relevant.push_back(gain > 0 ? 1 : 0);
      lines.push_back(i + 1);
      ndcg.push_back(evaluate::GradedNdcg(gains[i], scores[i], k));
      ndcg_all.push_back(evaluate::GradedNdcg(gains[i], scores[i]));
      map.push_back(evaluate::AveragePrecision(relevant, scores[i]));
      mrr.push_back(evaluate::ReciprocalRank(ranked));
      recall.push_back(evaluate::RecallAt(ranked, k));
      precision.push_back(evaluate::PrecisionAt(ranked, k));
      const double t = evaluate::KendallTauB(gains[i], scores[i]);
      if (std::isnan(t)) continue;
      tau.push_back(t);
      rho.push_back(evaluate::SpearmanCorrelation(gains[i], scores[i]));
    }
    if (ndcg.empty()) {
      throw Error(Code::kInvalidInput, Cat(true_, ": no question has anything relevant: nothing can be measured"),
                  "a gain above 0 says what is relevant");
    }
    Notes notes;
    if (hopeless > 0) {
      notes.push_back({Cat(hopeless, " of ", gains.size(), " questions have nothing relevant and are left out"),
                       Cat(gains.size(), " 个问题中有 ", hopeless, " 个没有相关的候选，不计入")});
    }
    if (tau.size() < ndcg.size()) {
      const size_t alike = ndcg.size() - tau.size();
      notes.push_back({Cat(alike, " of ", ndcg.size(),
                           " questions have all gains or all scores alike and are left out of the correlations"),
                       Cat(ndcg.size(), " 个问题中有 ", alike, " 个的增益或分数全部相同，不计入相关系数")});
    }
    const auto mean = [](const std::vector<double>& values) {
      return values.empty() ? Json() : Json(evaluate::Mean(values));
    };
    Json result{{"questions", ndcg.size()},
                {"k", k},
                {"ndcg_at_k", mean(ndcg)},
                {"ndcg", mean(ndcg_all)},
                {"map", mean(map)},
                {"mrr", mean(mrr)},
                {"recall_at_k", mean(recall)},
                {"precision_at_k", mean(precision)},
                {"kendall_tau_b", mean(tau)},
                {"spearman", mean(rho)},
                {"notes", NotesJson(notes)}};
    PrintNotes(notes);
    if (report_.wanted()) {
      report_.Write(RankingReport(ndcg, lines, result, report_.chinese()), notes, globals, &result);
    }
    if (globals.json) {
      std::cout << ToText(result) << "\n";
      return 0;
    }
    std::cout << "over " << ndcg.size() << " questions, k " << k << "\n";
    for (const auto& [name, value] : result.items()) {
      if (value.is_number_float()) {
        std::cout << ReplaceAll(name, "_", " ") << " " << FormatFixed(value.get<double>(), 4) << "\n";
      }
    }
    return 0;
  }

 private:
  void Check(const std::vector<double>& gains, const std::vector<double>& scores, size_t line) const {
    if (gains.size() != scores.size()) {
      throw Error(Code::kInvalidInput,
                  Cat(scores_, ":", line, ": holds ", scores.size(), " scores for ", gains.size(), " gains"),
                  Cat("as many as ", true_, " has in the same line"));
    }
    for (const double gain : gains) {
      if (gain < 0) {
        throw Error(Code::kInvalidInput, Cat(true_, ":", line, ": a gain of ", gain, " is negative"),
                    "gains are 0 or more");
      }
    }
  }

  std::string true_, scores_;
  int64_t k_ = 10;
  ReportOption report_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateRanking() { return Make<RankingCommand>(); }

}  // namespace atelier::app
