// Whether two lists of numbers rise and fall together. Each is not a number where one of the lists is constant or has
// fewer than two values. REQUIRES, for all: as many of both, all finite.
#pragma once

#include <span>

namespace atelier::evaluate {

double PearsonCorrelation(std::span<const double> a, std::span<const double> b);
// Pearson's of the ranks, ties at their mean rank (Spearman 1904).
double SpearmanCorrelation(std::span<const double> a, std::span<const double> b);
// Kendall 1945, tau-b: (concordant - discordant) / sqrt(pairs untied in a * pairs untied in b). n log n (Knight 1966).
double KendallTauB(std::span<const double> a, std::span<const double> b);

}  // namespace atelier::evaluate
