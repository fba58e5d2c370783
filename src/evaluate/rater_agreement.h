// How well one rater's numbers agree with other raters', on a scale: what a judge is worth, beside what people are to
// each other. With intervals by bootstrap over items.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evaluate/resample.h"

namespace atelier::evaluate {

// One rater's numbers, [item]; not a number where there is none.
using RaterColumn = std::vector<double>;

struct RaterMeasures {
  // kappa and alpha and exact take each number to the nearest answer of the scale, the others take it as it is.
  double kappa = 0;       // Cohen's, quadratic weights
  double spearman = 0;    // of ranks, ties at their mean
  double tau = 0;         // Kendall's tau-b
  double alpha = 0;       // Krippendorff's, ordinal
  double exact = 0;       // share of equal answers
  double difference = 0;  // mean of first less other: bias
  static constexpr size_t kCount = 6;
};
// In the order above.
std::span<const char* const> RaterMeasureNames();
double& At(RaterMeasures* measures, size_t which);

// Means over `others` of each measure between `first` and one of them, over the items that both rated; a measure is not
// a number where it is for all of them. REQUIRES: columns of equal size, a scale of two or more, rising. `drawn`: the
// items, with repetition; empty: each once.
RaterMeasures Agreement(const RaterColumn& first, std::span<const RaterColumn> others, std::span<const double> scale,
                        std::span<const uint32_t> drawn = {});
// The same between all pairs of `raters`: what agreement with people can be held against. `difference` is the mean of
// its size. REQUIRES: two or more.
RaterMeasures AgreementAmong(std::span<const RaterColumn> raters, std::span<const double> scale);

// 95 % intervals of Agreement, [measure]; nothing where more than a tenth of the draws leave the measure undefined.
// Items are drawn from Rng(seed, "raters").
std::vector<std::optional<Interval>> AgreementIntervals(const RaterColumn& first, std::span<const RaterColumn> others,
                                                        std::span<const double> scale, int64_t samples, uint64_t seed);

// Of the pairs of items of one group that the others' mean tells apart: how many, and the share that `first` orders the
// same way, a tie as half.
struct PairAccuracy {
  size_t pairs = 0;
  double accuracy = 0;  // not a number without pairs
};
PairAccuracy OrderAccuracy(const RaterColumn& first, std::span<const RaterColumn> others,
                           std::span<const std::string> groups);
// The same where each item is a pair itself and numbers say how much its first part is better than its second: 0.5 is a
// tie.
PairAccuracy PreferenceAccuracy(const RaterColumn& first, std::span<const RaterColumn> others);

}  // namespace atelier::evaluate
