#include "rank/calibrate.h"

#include <cmath>
#include <cstdint>

#include "rank/losses.h"

namespace atelier::rank {

void AppendPairs(std::span<const double> scores, std::span<const double> gains, double weight,
                 std::vector<JudgedPair>* pairs) {
  const size_t begin = pairs->size();
  for (size_t a = 0; a < scores.size(); ++a) {
    for (size_t b = 0; b < scores.size(); ++b) {
      if (gains[a] > gains[b]) pairs->push_back({scores[a] - scores[b], 0});
    }
  }
  for (size_t i = begin; i < pairs->size(); ++i)
    (*pairs)[i].weight = weight / static_cast<double>(pairs->size() - begin);
}

double FitTemperature(std::span<const JudgedPair> pairs) {
  // Of the mean loss with the penalty; it grows with t, so its zero is found by halving.
  const auto slope = [&](double t) {
    double sum = 0, total = 0;
    for (const JudgedPair& pair : pairs) {
      sum -= pair.weight * pair.ahead * Sigmoid(-t * pair.ahead);
      total += pair.weight;
    }
    return (sum + (t - 1)) / total;
  };
  double low = std::log(1e-3), high = std::log(1e3);
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (slope(std::exp(middle)) > 0 ? high : low) = middle;
  }
  return std::exp((low + high) / 2);
}

std::vector<evaluate::ReliabilityBin> PairBins(std::span<const JudgedPair> pairs, double temperature) {
  std::vector<uint8_t> came_true;
  std::vector<double> probabilities;
  for (const JudgedPair& pair : pairs) {
    const double p = Sigmoid(temperature * pair.ahead);
    came_true.insert(came_true.end(), {1, 0});
    probabilities.insert(probabilities.end(), {p, 1 - p});
  }
  return evaluate::ReliabilityBins(came_true, probabilities);
}

double PairLoss(std::span<const JudgedPair> pairs, double temperature) {
  double sum = 0, total = 0;
  for (const JudgedPair& pair : pairs) {
    sum += pair.weight * Softplus(-temperature * pair.ahead);
    total += pair.weight;
  }
  return sum / total;
}

}  // namespace atelier::rank
