// Files that measures over labels, numbers, ratings and texts read. The first byte says as what: only Error may come
// out, and what is measured lies where it must.
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "evaluate/classification.h"
#include "evaluate/exact_match.h"
#include "evaluate/kappa.h"
#include "evaluate/krippendorff.h"
#include "evaluate/rank_correlation.h"
#include "evaluate/readability.h"
#include "evaluate/regression.h"
#include "evaluate/rouge_scores.h"
#include "evaluate/value_lines.h"

namespace {

using namespace atelier::evaluate;

void Require(bool holds) {
  if (!holds) std::abort();
}

bool Share(double value) { return value >= 0 && value <= 1 + 1e-9; }

void Labels(std::string_view text) {
  const auto labels = LabelLines(text, "fuzz.txt");
  const std::vector<std::string_view> turned(labels.rbegin(), labels.rend());
  const auto classes = FindClasses(labels, turned);
  if (classes.size() > 500) return;
  const Confusion confusion =
      CountConfusion(classes, ClassIndices(labels, classes, "a"), ClassIndices(turned, classes, "b"));
  const ClassificationScores scores = ScoreClasses(confusion);
  Require(Share(scores.accuracy) && Share(scores.macro.f1) && Share(scores.weighted.precision));
  Require(!ReportText(confusion, scores).empty());
}

void Numbers(std::string_view text) {
  for (const auto& row : NumberRows(text, "fuzz.txt")) {
    for (const double value : row) Require(std::isfinite(value));
    const std::vector<double> turned(row.rbegin(), row.rend());
    const double tau = KendallTauB(row, turned);
    Require(std::isnan(tau) || std::abs(tau) <= 1);
    Require(ScoreRegression(row, turned).mean_absolute_error >= 0);
  }
}

void Table(std::string text) {
  const Ratings ratings = ReadRatings(std::move(text), "fuzz.csv");
  for (const int32_t value : ratings.values) {
    Require(value >= -1 && value < static_cast<int32_t>(ratings.categories.size()));
  }
  Require(!(KrippendorffAlpha(ratings, RatingLevel::kNominal) > 1));
  Require(!(FleissKappa(ratings) > 1 + 1e-9));
  if (ratings.categories.size() > 500) return;
  const double kappa = CohenKappa(CountPairs(ratings, 0, 1), ratings.categories.size());
  Require(!(kappa > 1));
}

void Texts(std::string_view text) {
  const size_t middle = text.size() / 2;
  const std::string_view a = text.substr(0, middle), b = text.substr(middle);
  for (const RougeUnits units : {RougeUnits::kWords, RougeUnits::kCharacters}) {
    RougeScorer rouge(RougeTokenizer(units, true));
    const RougeScores scores = rouge.Score(a, b), same = rouge.Score(a, a);
    for (const auto& score : {scores.rouge1, scores.rouge2, scores.rougeL, scores.rougeLsum}) Require(Share(score.f1));
    Require(scores.rougeL.recall <= scores.rouge1.recall && scores.rougeLsum.recall <= scores.rouge1.recall);
    Require(same.rougeL.f1 == same.rouge1.f1 && same.rougeLsum.f1 == same.rouge1.f1);
  }
  const Readability read = MeasureReadability(text);
  Require(read.common <= read.characters && read.words <= read.syllables);
  Require(read.sentences <= read.words + read.characters);
  for (const AnswerUnits units : {AnswerUnits::kWords, AnswerUnits::kCharacters}) {
    Require(ScoreAnswer(a, {&a, 1}, units).f1 == 1 && Share(ScoreAnswer(a, {&b, 1}, units).f1));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 4) {
      case 0: Labels(text); break;
      case 1: Numbers(text); break;
      case 2: Table(std::string(text)); break;
      default: Texts(text); break;
    }
  } catch (const atelier::Error&) {
  }
  return 0;
}
