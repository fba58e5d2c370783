// Whether probabilities mean what they say: reliability bins and their expected error, Brier score, log loss.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace atelier::evaluate {

struct ReliabilityBin {
  double low = 0, high = 0;  // probabilities in (low, high]; 0 is in the first
  int64_t count = 0;
  double predicted = 0, observed = 0;  // mean probability, share of cases that came true; 0 where the bin is empty
};

// Bins of equal width, as scikit-learn's calibration_curve cuts them. `came_true` is 0 or 1.
// REQUIRES: as many probabilities, all in [0, 1]; bins > 0.
std::vector<ReliabilityBin> ReliabilityBins(std::span<const uint8_t> came_true, std::span<const double> probabilities,
                                            size_t bins = 10);
// Naeini et al. 2015: mean of |predicted - observed| over the cases of the bins.
double ExpectedCalibrationError(std::span<const ReliabilityBin> bins);

// `probabilities` is [case][class], `truth` the true class of each case.

// Brier 1950: mean squared distance to the truth, over all classes; halved for two classes, so that it lies in [0, 1].
double BrierScore(std::span<const uint32_t> truth, std::span<const double> probabilities, size_t classes);
// Mean of -ln p(true class), p kept off 0 and 1 by 2^-52.
double LogLoss(std::span<const uint32_t> truth, std::span<const double> probabilities, size_t classes);

}  // namespace atelier::evaluate
