// Agreement beyond chance of raters who choose categories: 1 is perfect, 0 what chance gives. Not a number where chance
// alone would agree perfectly (one category) or nothing can be compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "evaluate/ratings.h"

namespace atelier::evaluate {

// How often rater `a` chose one category where `b` chose another: [category of a][category of b], over the items that
// both rated.
std::vector<int64_t> CountPairs(const Ratings& ratings, size_t a, size_t b);

enum class KappaWeights {
  kNone,      // every disagreement counts 1 (Cohen 1960)
  kLinear,    // the distance of the categories' places (Cohen 1968)
  kQuadratic  // its square
};
// `pairs` is [category][category].
double CohenKappa(std::span<const int64_t> pairs, size_t categories, KappaWeights weights = KappaWeights::kNone);

// Fleiss 1971; any raters, as many for each item, at least two. Not a number where items have different numbers of
// them.
double FleissKappa(const Ratings& ratings);

}  // namespace atelier::evaluate
