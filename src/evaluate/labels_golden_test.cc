// What scikit-learn, scipy, statsmodels, krippendorff, rouge-score and NLTK say about awkward cases, made by
// tools/golden_labels.py: tables to the character, numbers within rounding.
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "evaluate/calibration.h"
#include "evaluate/classification.h"
#include "evaluate/curves.h"
#include "evaluate/exact_match.h"
#include "evaluate/kappa.h"
#include "evaluate/krippendorff.h"
#include "evaluate/meteor.h"
#include "evaluate/rank_correlation.h"
#include "evaluate/ranking.h"
#include "evaluate/ratings.h"
#include "evaluate/regression.h"
#include "evaluate/rouge_scores.h"
#include "evaluate/sums.h"

namespace atelier::evaluate {
namespace {

constexpr double kRounding = 1e-10;  // relative above 1: sums may be taken in another order
constexpr double kRougeRounding = 1e-12;

const Json& Golden() {
  static const Json golden =
      ParseJson(ReadFile(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/evaluate/labels.json"), "labels.json");
  return golden;
}

// null stands for what is undefined.
void ExpectNear(double got, const Json& expected, const std::string& what) {
  if (expected.is_null()) {
    EXPECT_FALSE(std::isfinite(got)) << what << " " << got;
    return;
  }
  const double want = expected.get<double>();
  EXPECT_NEAR(got, want, kRounding * std::max(1.0, std::abs(want))) << what;
}

void ExpectNear(const std::vector<double>& got, const Json& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (size_t i = 0; i < got.size(); ++i) ExpectNear(got[i], expected[i], Cat(what, " ", i));
}

std::vector<std::string> Strings(const Json& list) { return list.get<std::vector<std::string>>(); }
std::vector<double> Numbers(const Json& list) { return list.get<std::vector<double>>(); }

TEST(LabelsGoldenTest, Classification) {
  ASSERT_GT(Golden()["classification"].size(), 15u);
  for (const Json& item : Golden()["classification"]) {
    const std::vector<std::string> truth = Strings(item["true"]), predicted = Strings(item["pred"]);
    const std::vector<std::string_view> t(truth.begin(), truth.end()), p(predicted.begin(), predicted.end());
    const auto classes = item.contains("classes") ? Strings(item["classes"]) : FindClasses(t, p);
    const Confusion confusion =
        CountConfusion(classes, ClassIndices(t, classes, "true.txt"), ClassIndices(p, classes, "pred.txt"));
    const ClassificationScores scores = ScoreClasses(confusion);
    const Json& want = item["expected"];
    EXPECT_EQ(ReportText(confusion, scores, item["digits"].get<int>()), want["report"].get<std::string>());
    EXPECT_EQ(scores.accuracy, want["accuracy"].get<double>());
    for (size_t c = 0; c < classes.size(); ++c) {
      EXPECT_EQ(scores.classes[c].precision, want["precision"][c].get<double>());
      EXPECT_EQ(scores.classes[c].recall, want["recall"][c].get<double>());
      EXPECT_EQ(scores.classes[c].f1, want["f1"][c].get<double>());
      EXPECT_EQ(scores.classes[c].support, want["support"][c].get<int64_t>());
      for (size_t other = 0; other < classes.size(); ++other) {
        EXPECT_EQ(confusion.count(c, other), want["confusion"][c][other].get<int64_t>());
      }
    }
    ExpectNear({scores.macro.precision, scores.macro.recall, scores.macro.f1}, want["macro"], "macro");
    ExpectNear({scores.weighted.precision, scores.weighted.recall, scores.weighted.f1}, want["weighted"], "weighted");
  }
}

TEST(LabelsGoldenTest, CurvesAndCalibration) {
  ASSERT_GT(Golden()["scores"].size(), 8u);
  for (const Json& item : Golden()["scores"]) {
    const auto truth = item["truth"].get<std::vector<uint8_t>>();
    const std::vector<double> scores = Numbers(item["scores"]);
    const Json& want = item["expected"];
    const Curve roc = RocCurve(truth, scores), pr = PrecisionRecallCurve(truth, scores);
    ExpectNear(roc.x, want["fpr"], "fpr");
    ExpectNear(roc.y, want["tpr"], "tpr");
    ExpectNear(roc.thresholds, want["roc_thresholds"], "roc thresholds");
    ExpectNear(pr.x, want["recall"], "recall");
    ExpectNear(pr.y, want["precision"], "precision");
    ExpectNear(pr.thresholds, want["pr_thresholds"], "pr thresholds");
    ExpectNear(RocAuc(truth, scores), want["roc_auc"], "roc_auc");
    ExpectNear(AveragePrecision(truth, scores), want["average_precision"], "average_precision");
    std::vector<uint32_t> classes(truth.begin(), truth.end());
    std::vector<double> both;
    for (const double p : scores) both.insert(both.end(), {1 - p, p});
    ExpectNear(BrierScore(classes, both, 2), want["brier"], "brier");
    ExpectNear(LogLoss(classes, both, 2), want["log_loss"], "log_loss");
    const auto bins = ReliabilityBins(truth, scores, item["bins"].get<size_t>());
    ExpectNear(ExpectedCalibrationError(bins), want["ece"], "ece");
    size_t full = 0;
    for (size_t b = 0; b < bins.size(); ++b) {
      EXPECT_EQ(bins[b].count, want["counts"][b].get<int64_t>());
      if (bins[b].count == 0) continue;
      ExpectNear(bins[b].observed, want["observed"][full], "observed");
      ExpectNear(bins[b].predicted, want["predicted"][full++], "predicted");
    }
  }
}

TEST(LabelsGoldenTest, ManyClasses) {
  for (const Json& item : Golden()["many"]) {
    const auto truth = item["truth"].get<std::vector<uint32_t>>();
    const size_t classes = item["rows"][0].size();
    std::vector<double> all;
    for (const Json& row : item["rows"]) {
      for (const Json& p : row) all.push_back(p.get<double>());
    }
    ExpectNear(BrierScore(truth, all, classes), item["expected"]["brier"], "brier");
    ExpectNear(LogLoss(truth, all, classes), item["expected"]["log_loss"], "log_loss");
  }
}

TEST(LabelsGoldenTest, Regression) {
  ASSERT_GT(Golden()["regression"].size(), 8u);
  for (const Json& item : Golden()["regression"]) {
    const std::vector<double> truth = Numbers(item["true"]), predicted = Numbers(item["pred"]);
    const RegressionScores scores = ScoreRegression(truth, predicted);
    const Json& want = item["expected"];
    ExpectNear(scores.mean_absolute_error, want["mean_absolute_error"], "mae");
    ExpectNear(scores.mean_squared_error, want["mean_squared_error"], "mse");
    ExpectNear(scores.root_mean_squared_error, want["root_mean_squared_error"], "rmse");
    ExpectNear(scores.median_absolute_error, want["median_absolute_error"], "median");
    ExpectNear(scores.max_error, want["max_error"], "max");
    ExpectNear(scores.mean_absolute_percentage_error, want["mean_absolute_percentage_error"], "mape");
    ExpectNear(scores.r2, want["r2"], "r2");
    ExpectNear(scores.explained_variance, want["explained_variance"], "explained variance");
    ExpectNear(PearsonCorrelation(truth, predicted), want["pearson"], "pearson");
    ExpectNear(SpearmanCorrelation(truth, predicted), want["spearman"], "spearman");
    ExpectNear(KendallTauB(truth, predicted), want["kendall_tau_b"], "tau");
  }
}

TEST(LabelsGoldenTest, Ranking) {
  ASSERT_GT(Golden()["ranking"].size(), 15u);
  for (const Json& item : Golden()["ranking"]) {
    const std::vector<double> gains = Numbers(item["gains"]), scores = Numbers(item["scores"]);
    const auto k = item["k"].get<size_t>();
    const Json& want = item["expected"];
    const Ranked ranked = RankByScore(gains, scores);
    std::vector<uint8_t> relevant;
    for (const double gain : gains) relevant.push_back(gain > 0 ? 1 : 0);
    ExpectNear(GradedNdcg(gains, scores, k), want["ndcg_at_k"], "ndcg at k");
    ExpectNear(GradedNdcg(gains, scores), want["ndcg"], "ndcg");
    ExpectNear(AveragePrecision(relevant, scores), want["map"], "map");
    ExpectNear(ReciprocalRank(ranked), want["mrr"], "mrr");
    ExpectNear(RecallAt(ranked, k), want["recall_at_k"], "recall");
    ExpectNear(PrecisionAt(ranked, k), want["precision_at_k"], "precision");
    if (std::set<double>(scores.begin(), scores.end()).size() == scores.size()) {  // no ties: both definitions meet
      ExpectNear(AveragePrecision(ranked), want["map"], "average precision of places");
    }
  }
}

TEST(LabelsGoldenTest, Ratings) {
  ASSERT_GT(Golden()["ratings"].size(), 15u);
  for (const Json& item : Golden()["ratings"]) {
    std::string table;
    for (size_t rater = 0; rater < item["table"][0].size(); ++rater)
      table += Cat(rater > 0 ? "," : "", "rater ", rater);
    for (const Json& row : item["table"]) table += Cat("\n", Join(Strings(row), ","));
    RatingsOptions options;
    if (item.contains("order")) options.order = Strings(item["order"]);
    const Ratings ratings = ReadRatings(table, "ratings.csv", options);
    const Json& want = item["expected"];
    if (ratings.raters.size() == 2) {
      const std::vector<int64_t> pairs = CountPairs(ratings, 0, 1);
      const size_t n = ratings.categories.size();
      ExpectNear(CohenKappa(pairs, n), want["unweighted"], "kappa");
      if (ratings.ordered) {
        ExpectNear(CohenKappa(pairs, n, KappaWeights::kLinear), want["linear"], "linear");
        ExpectNear(CohenKappa(pairs, n, KappaWeights::kQuadratic), want["quadratic"], "quadratic");
      }
    }
    if (ratings.items() == item["table"].size()) {  // rows without a rating are not read
      ExpectNear(FleissKappa(ratings), want["fleiss"], "fleiss");
    }
    ExpectNear(KrippendorffAlpha(ratings, RatingLevel::kNominal), want["nominal"], "nominal");
    if (ratings.ordered) ExpectNear(KrippendorffAlpha(ratings, RatingLevel::kOrdinal), want["ordinal"], "ordinal");
    if (!ratings.numbers.empty()) {
      ExpectNear(KrippendorffAlpha(ratings, RatingLevel::kInterval), want["interval"], "interval");
      ExpectNear(KrippendorffAlpha(ratings, RatingLevel::kRatio), want["ratio"], "ratio");
    }
  }
}

TEST(LabelsGoldenTest, Rouge) {
  const Json& texts = Golden()["texts"];
  ASSERT_GT(texts.size(), 30u);
  for (const bool stem : {false, true}) {
    for (const bool chinese : {false, true}) {
      const Json& want = Golden()[Cat("rouge", chinese ? "_zh" : "", stem ? "_stem" : "")];
      RougeScorer rouge(RougeTokenizer(chinese ? RougeUnits::kCharacters : RougeUnits::kWords, stem));
      for (size_t i = 0; i < texts.size(); ++i) {
        const std::string reference = ReplaceAll(texts[i]["reference"].get<std::string>(), "<n>", "\n");
        const std::string hypothesis = ReplaceAll(texts[i]["hypothesis"].get<std::string>(), "<n>", "\n");
        const RougeScores scores = rouge.Score(reference, hypothesis);
        const auto expect = [&](const RougeScore& score, const char* name) {
          const Json& numbers = want[i][name];
          EXPECT_NEAR(score.precision, numbers[0].get<double>(), kRougeRounding) << name << ": " << reference;
          EXPECT_NEAR(score.recall, numbers[1].get<double>(), kRougeRounding) << name << ": " << reference;
          EXPECT_NEAR(score.f1, numbers[2].get<double>(), kRougeRounding) << name << ": " << reference;
        };
        expect(scores.rouge1, "rouge1");
        expect(scores.rouge2, "rouge2");
        expect(scores.rougeL, "rougeL");
        expect(scores.rougeLsum, "rougeLsum");
      }
    }
  }
}

TEST(LabelsGoldenTest, MeteorAndAnswers) {
  for (const Json& item : Golden()["meteor"]) {
    EXPECT_NEAR(MeteorScore(Strings(item["reference"]), Strings(item["hypothesis"])), item["expected"].get<double>(),
                1e-12);
  }
  const Json& texts = Golden()["texts"];
  for (const bool chinese : {false, true}) {
    const Json& want = Golden()[chinese ? "squad_zh" : "squad"];
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::string reference = texts[i]["reference"].get<std::string>();
      const std::string_view right = reference;
      const AnswerScore score = ScoreAnswer(texts[i]["hypothesis"].get<std::string>(), {&right, 1},
                                            chinese ? AnswerUnits::kCharacters : AnswerUnits::kWords);
      EXPECT_EQ(score.exact, want[i][0].get<double>()) << reference;
      EXPECT_NEAR(score.f1, want[i][1].get<double>(), 1e-12) << reference;
    }
  }
}

}  // namespace
}  // namespace atelier::evaluate
