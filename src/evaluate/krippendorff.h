// Krippendorff's alpha (Krippendorff 2011, "Computing Krippendorff's alpha-reliability"): agreement of any number of
// raters with ratings missing: 1 - observed disagreement / disagreement expected by chance.
#pragma once

#include "evaluate/ratings.h"

namespace atelier::evaluate {

// What a difference of two ratings is.
enum class RatingLevel {
  kNominal,   // equal or not
  kOrdinal,   // how many ratings lie between; by the categories' order
  kInterval,  // difference of the numbers, squared
  kRatio      // (difference / sum) of the numbers, squared; 0 where the sum is
};

// Not a number where no item has two ratings or all ratings are alike. Linear in the ratings, but for kRatio, which is
// quadratic in the categories. REQUIRES: `ordered` for kOrdinal, `numbers` for kInterval and kRatio.
double KrippendorffAlpha(const Ratings& ratings, RatingLevel level);

}  // namespace atelier::evaluate
