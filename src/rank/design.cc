#include "rank/design.h"

#include "rank/lbfgs.h"

namespace atelier::rank {
namespace {

double ScoreOf(const Design& design, size_t row, std::span<const double> weights) {
  const double* features = design.features.data() + row * design.narrow;
  double score = 0;
  for (size_t i = 0; i < design.narrow; ++i) score += weights[i] * features[i];
  if (weights.size() == design.narrow) return score;
  const float* vector = design.vectors.data() + row * design.wide;
  const double* wide = weights.data() + design.narrow;
  // Four sums, so that neighbouring products do not wait for each other.
  double sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= design.wide; i += 4) {
    for (size_t j = 0; j < 4; ++j) sums[j] += wide[i + j] * static_cast<double>(vector[i + j]);
  }
  for (; i < design.wide; ++i) sums[0] += wide[i] * static_cast<double>(vector[i]);
  return score + (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void AddRow(const Design& design, size_t row, double factor, std::span<double> gradient) {
  const double* features = design.features.data() + row * design.narrow;
  for (size_t i = 0; i < design.narrow; ++i) gradient[i] += factor * features[i];
  if (gradient.size() == design.narrow) return;
  const float* vector = design.vectors.data() + row * design.wide;
  double* wide = gradient.data() + design.narrow;
  for (size_t i = 0; i < design.wide; ++i) wide[i] += factor * static_cast<double>(vector[i]);
}

}  // namespace

std::vector<double> ScoresOf(const Design& design, size_t choice, std::span<const double> weights) {
  std::vector<double> scores;
  for (size_t row = design.first[choice]; row < design.first[choice + 1]; ++row)
    scores.push_back(ScoreOf(design, row, weights));
  return scores;
}

std::span<const double> GainsOf(const Design& design, size_t choice) {
  return std::span(design.gains).subspan(design.first[choice], design.first[choice + 1] - design.first[choice]);
}

double Objective(const Design& design, std::span<const size_t> which, Loss loss, const Penalty& penalty,
                 std::span<const double> weights, std::span<double> gradient) {
  double total = 0, value = 0;
  for (const size_t choice : which) total += design.weights[choice];
  for (size_t i = 0; i < weights.size(); ++i) {
    const double strength = i < design.narrow ? penalty.features : penalty.vectors;
    value += strength / 2 * weights[i] * weights[i];
    gradient[i] = strength * weights[i];
  }
  std::vector<double> slope;
  for (const size_t choice : which) {
    const std::vector<double> scores = ScoresOf(design, choice, weights);
    slope.resize(scores.size());
    const double share = design.weights[choice] / total;
    value += share * LossOf(loss, scores, GainsOf(design, choice), slope);
    for (size_t i = 0; i < slope.size(); ++i) AddRow(design, design.first[choice] + i, share * slope[i], gradient);
  }
  return value;
}

std::vector<double> Fit(const Design& design, std::span<const size_t> which, Loss loss, const Penalty& penalty,
                        std::vector<double> start, double slope) {
  return Minimise([&](std::span<const double> at,
                      std::span<double> gradient) { return Objective(design, which, loss, penalty, at, gradient); },
                  std::move(start), {.gradient = slope})
      .at;
}

}  // namespace atelier::rank
