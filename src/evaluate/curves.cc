#include "evaluate/curves.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>

#include "evaluate/sums.h"

namespace atelier::evaluate {
namespace {

// Cases at or above each different score, highest first.
struct Steps {
  std::vector<double> false_positives, true_positives, thresholds;
};

Steps CountSteps(std::span<const uint8_t> truth, std::span<const double> scores) {
  std::vector<size_t> order(truth.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  Steps steps;
  double positives = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    positives += truth[order[i]] != 0 ? 1 : 0;
    if (i + 1 < order.size() && scores[order[i + 1]] == scores[order[i]]) continue;
    steps.true_positives.push_back(positives);
    steps.false_positives.push_back(static_cast<double>(i + 1) - positives);
    steps.thresholds.push_back(scores[order[i]]);
  }
  return steps;
}

// Both counts go on as before on either side of step i.
bool OnALine(const Steps& steps, size_t i) {
  const auto straight = [i](const std::vector<double>& v) { return v[i + 1] - v[i] == v[i] - v[i - 1]; };
  return straight(steps.false_positives) && straight(steps.true_positives);
}

}  // namespace

Curve RocCurve(std::span<const uint8_t> truth, std::span<const double> scores, bool all) {
  const Steps steps = CountSteps(truth, scores);
  const size_t n = steps.thresholds.size();
  Curve curve{{0}, {0}, {std::numeric_limits<double>::infinity()}};
  for (size_t i = 0; i < n; ++i) {
    if (!all && i > 0 && i + 1 < n && OnALine(steps, i)) continue;
    curve.x.push_back(steps.false_positives[i] / steps.false_positives.back());
    curve.y.push_back(steps.true_positives[i] / steps.true_positives.back());
    curve.thresholds.push_back(steps.thresholds[i]);
  }
  return curve;
}

Curve PrecisionRecallCurve(std::span<const uint8_t> truth, std::span<const double> scores) {
  const Steps steps = CountSteps(truth, scores);
  const double positives = steps.true_positives.back();
  Curve curve;
  for (size_t i = steps.thresholds.size(); i-- > 0;) {
    curve.x.push_back(positives == 0 ? 1 : steps.true_positives[i] / positives);
    curve.y.push_back(steps.true_positives[i] / (steps.true_positives[i] + steps.false_positives[i]));
    curve.thresholds.push_back(steps.thresholds[i]);
  }
  curve.x.push_back(0);
  curve.y.push_back(1);
  return curve;
}

double RocAuc(std::span<const uint8_t> truth, std::span<const double> scores) {
  const Curve curve = RocCurve(truth, scores);
  std::vector<double> areas;
  for (size_t i = 1; i < curve.x.size(); ++i) {
    areas.push_back((curve.x[i] - curve.x[i - 1]) * (curve.y[i] + curve.y[i - 1]) / 2);
  }
  return Sum(areas);
}

double AveragePrecision(std::span<const uint8_t> truth, std::span<const double> scores) {
  const Curve curve = PrecisionRecallCurve(truth, scores);
  std::vector<double> areas;
  for (size_t i = 0; i + 1 < curve.x.size(); ++i) areas.push_back((curve.x[i] - curve.x[i + 1]) * curve.y[i]);
  return std::max(0.0, Sum(areas));
}

}  // namespace atelier::evaluate
