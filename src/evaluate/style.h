// How much texts are like the texts of a house, held against how much those are like each other.
//
// Every text gets a number (nearness to the house's middle, or to its nearest texts; by an encoder or by the surface,
// surface_style.h); so does every text of the house, computed without itself. A text's percentile is the share of the
// house that is no nearer; their mean is the chance that a text drawn from the hypotheses is as near as one drawn from
// the house (Mann and Whitney 1947; the area under the ROC curve). One half: as alike as the house is to itself, which
// is shown as 1. A text's p is that of a conformal outlier test (Vovk et al. 2005): (1 + house texts no nearer) / (n +
// 1).
//
// Considered and not taken: MAUVE (Pillutla et al. 2021) and Fréchet distances (Heusel et al. 2017) compare clouds,
// need thousands of texts for a stable figure, and name no line.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/progress.h"
#include "base/thread_pool.h"

namespace atelier::evaluate {

// Rows of unit vectors, [rows][dims].
struct UnitRows {
  std::span<const float> vectors;
  size_t dims = 1;
  size_t size() const { return vectors.size() / dims; }
  const float* row(size_t i) const { return vectors.data() + i * dims; }
};

// Cosine to the mean of the house's vectors, for texts and for the house's own, each without itself. A mean that is no
// direction is near to nothing (0). REQUIRES: at least two texts in the house.
std::vector<double> ToMiddle(const UnitRows& texts, const UnitRows& house);
std::vector<double> ToMiddleWithoutSelf(const UnitRows& house);

// Mean cosine to the k nearest of the house (to all where it has fewer), the same twice.
std::vector<double> ToNearest(const UnitRows& texts, const UnitRows& house, size_t k, ThreadPool* threads,
                              const ProgressFn& progress = nullptr);
std::vector<double> ToNearestWithoutSelf(const UnitRows& house, size_t k, ThreadPool* threads,
                                         const ProgressFn& progress = nullptr);

// 1 - the mean cosine between two different texts: how far they spread. REQUIRES: at least two.
double Spread(const UnitRows& texts);

struct Likeness {
  double mean = 0, house_mean = 0;
  double percentile = 0;     // mean of `percentiles`, in [0, 1]
  double low = 0, high = 0;  // 95 % by bootstrap over the hypotheses (10,000 draws); the house is taken as it is
  double score() const { return percentile >= 0.5 ? 1 : 2 * percentile; }
  std::vector<double> percentiles, p;  // by text
};
// `nearness`: larger is nearer. REQUIRES: neither is empty, all are finite.
Likeness CompareToHouse(std::span<const double> nearness, std::span<const double> house);

}  // namespace atelier::evaluate
