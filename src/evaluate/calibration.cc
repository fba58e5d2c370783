#include "evaluate/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "evaluate/sums.h"

namespace atelier::evaluate {

std::vector<ReliabilityBin> ReliabilityBins(std::span<const uint8_t> came_true, std::span<const double> probabilities,
                                            size_t bins) {
  std::vector<ReliabilityBin> result(bins);
  const double width = 1 / static_cast<double>(bins);
  std::vector<double> inner;  // edges between bins
  for (size_t b = 0; b < bins; ++b) {
    result[b].low = static_cast<double>(b) * width;
    result[b].high = b + 1 == bins ? 1 : static_cast<double>(b + 1) * width;
    if (b + 1 < bins) inner.push_back(result[b].high);
  }
  for (size_t i = 0; i < probabilities.size(); ++i) {
    const auto edge = std::lower_bound(inner.begin(), inner.end(), probabilities[i]);
    ReliabilityBin& bin = result[static_cast<size_t>(edge - inner.begin())];
    ++bin.count;
    bin.predicted += probabilities[i];
    bin.observed += came_true[i] != 0 ? 1 : 0;
  }
  for (ReliabilityBin& bin : result) {
    if (bin.count == 0) continue;
    bin.predicted /= static_cast<double>(bin.count);
    bin.observed /= static_cast<double>(bin.count);
  }
  return result;
}

double ExpectedCalibrationError(std::span<const ReliabilityBin> bins) {
  double sum = 0, cases = 0;
  for (const ReliabilityBin& bin : bins) {
    sum += static_cast<double>(bin.count) * std::abs(bin.predicted - bin.observed);
    cases += static_cast<double>(bin.count);
  }
  return cases == 0 ? 0 : sum / cases;
}

double BrierScore(std::span<const uint32_t> truth, std::span<const double> probabilities, size_t classes) {
  std::vector<double> distances;
  for (size_t i = 0; i < truth.size(); ++i) {
    double distance = 0;
    for (size_t c = 0; c < classes; ++c) {
      const double off = (truth[i] == c ? 1 : 0) - probabilities[i * classes + c];
      distance += off * off;
    }
    distances.push_back(distance);
  }
  return Mean(distances) * (classes < 3 ? 0.5 : 1);
}

double LogLoss(std::span<const uint32_t> truth, std::span<const double> probabilities, size_t classes) {
  constexpr double kLeast = std::numeric_limits<double>::epsilon();
  std::vector<double> losses;
  for (size_t i = 0; i < truth.size(); ++i) {
    losses.push_back(-std::log(std::clamp(probabilities[i * classes + truth[i]], kLeast, 1 - kLeast)));
  }
  return Mean(losses);
}

}  // namespace atelier::evaluate
