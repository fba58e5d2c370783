// How well scores tell positive cases from negative ones at every threshold: ROC and precision-recall curves and the
// areas under them, point by point those of scikit-learn. Equal scores are one threshold.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace atelier::evaluate {

struct Curve {
  std::vector<double> x, y, thresholds;
};

// `truth` is 1 for a positive case, 0 for a negative one. REQUIRES, for all four: as many scores, at least one; scores
// finite.

// x false positive rate, y true positive rate, thresholds falling from infinity (nothing is called positive). Points
// between others on a straight line are left out unless `all`. REQUIRES: a positive and a negative case.
Curve RocCurve(std::span<const uint8_t> truth, std::span<const double> scores, bool all = false);
// x recall, y precision, thresholds rising; ends at recall 0, precision 1, which has no threshold. Without a positive
// case recall is 1.
Curve PrecisionRecallCurve(std::span<const uint8_t> truth, std::span<const double> scores);
// Area under the ROC curve by trapezoids: ties count half. REQUIRES: a positive and a negative case.
double RocAuc(std::span<const uint8_t> truth, std::span<const double> scores);
// Sum over thresholds of precision times the recall gained: no interpolation. 0 without a positive case.
double AveragePrecision(std::span<const uint8_t> truth, std::span<const double> scores);

}  // namespace atelier::evaluate
