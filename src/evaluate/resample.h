// How far a score can be trusted: bootstrap and paired tests over the integers of lines (reference_metric.h).
//
// Lines are drawn with replacement, as many as there are (Koehn 2004); the interval lies between the 2.5th and
// the 97.5th percentile. Two systems are compared on the same drawn lines, and by approximate randomisation (Riezler
// and Maxwell 2005): would a difference as large come from exchanging the two systems' lines at random? Both p are
// two-sided and count the data themselves among the draws, (c + 1) / (n + 1), so that none is 0. Two things differ from
// sacrebleu 2.6: systems that are equal have p = 1, there 1 / (n + 1); and drawn differences are held against their own
// mean before their sign is dropped, there after, which calls equal systems different twice as often as it says.
//
// Random numbers are Rng's streams (seed, "bootstrap") and (seed, "randomisation"). One 64-bit number gives two lines,
// its low half first: (half * lines) >> 32, where the low 32 bits of the product are below 2^32 mod lines the half is
// passed over (Lemire 2019). One bit tells whether a line is exchanged, the lowest first, 64 lines a number.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/progress.h"
#include "evaluate/reference_metric.h"

namespace atelier::evaluate {

// Drawn scores, [score][draw].
using Draws = std::vector<std::vector<double>>;

struct Interval {
  double mean = 0, low = 0, high = 0;
};
// Of the drawn scores: their mean, the percentiles as sacrebleu takes them. REQUIRES: at least one.
Interval IntervalOf(std::vector<double> draws);

// Scores of `samples` bootstrap samples of each system, all of the same lines. REQUIRES: systems of equal size, not
// empty, of fewer than 2^32 lines.
std::vector<Draws> Bootstrap(const SumScore& metric, std::span<const LineCounts* const> systems, int64_t samples,
                             uint64_t seed, const ProgressFn& progress = nullptr);

// Two-sided p of a difference, from the bootstrap's draws of both: the share of draws whose difference is as far from
// the mean of all.
double BootstrapP(double difference, std::span<const double> draws, std::span<const double> baseline_draws);

// How much better one system is than the other, and how far that can be trusted.
struct Difference {
  double difference = 0;     // of their scores
  double low = 0, high = 0;  // 95 % of the drawn differences lie between
  double p = 1;              // BootstrapP
};
Difference DifferenceOf(double difference, std::span<const double> draws, std::span<const double> baseline_draws);
// The same of the means of figures in pairs, such as two rankings' nDCG of the same questions. REQUIRES: as many of
// both, at least one, of a size that ScoreUnits are for.
Difference CompareMeans(std::span<const double> a, std::span<const double> b, int64_t samples = 10000,
                        uint64_t seed = 1);

// Two-sided p by exchange of lines, by score. REQUIRES: as Bootstrap.
std::vector<double> RandomisationP(const SumScore& metric, const LineCounts& counts, const LineCounts& baseline,
                                   int64_t trials, uint64_t seed, const ProgressFn& progress = nullptr);

}  // namespace atelier::evaluate
