#include "rank/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace atelier::rank {
namespace {

double Dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double Steepest(std::span<const double> gradient) {
  double most = 0;
  for (const double one : gradient) most = std::max(most, std::fabs(one));
  return most;
}

struct Step {
  std::vector<double> moved, turned;  // by which the point and the gradient changed
  double curvature = 0;               // their product, > 0
};

// The inverse of the Hessian, as the steps show it, times the gradient: the two loops of Nocedal 1980.
std::vector<double> Newton(const std::deque<Step>& steps, std::span<const double> gradient) {
  std::vector<double> out(gradient.begin(), gradient.end()), factors;
  for (size_t i = steps.size(); i-- > 0;) {
    const double factor = Dot(steps[i].moved, out) / steps[i].curvature;
    for (size_t j = 0; j < out.size(); ++j) out[j] -= factor * steps[i].turned[j];
    factors.push_back(factor);
  }
  if (!steps.empty()) {
    const double scale = steps.back().curvature / Dot(steps.back().turned, steps.back().turned);
    for (double& one : out) one *= scale;
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    const double factor = factors[steps.size() - 1 - i] - Dot(steps[i].turned, out) / steps[i].curvature;
    for (size_t j = 0; j < out.size(); ++j) out[j] += factor * steps[i].moved[j];
  }
  return out;
}

}  // namespace

Minimum Minimise(const ObjectiveFn& objective, std::vector<double> start, const LbfgsOptions& options) {
  constexpr double kEnough = 1e-4;  // of the fall that the slope promises
  constexpr int kHalvings = 40;
  Minimum best{.at = std::move(start)};
  const size_t size = best.at.size();
  std::vector<double> gradient(size), next(size), next_gradient(size);
  best.value = objective(best.at, gradient);
  std::deque<Step> steps;
  for (; best.iterations < options.iterations; ++best.iterations) {
    if (Steepest(gradient) <= options.gradient) {
      best.converged = true;
      break;
    }
    std::vector<double> direction = Newton(steps, gradient);
    double slope = -Dot(direction, gradient);
    if (!(slope < 0)) {  // rounding has spoilt what was remembered
      steps.clear();
      direction = gradient;
      slope = -Dot(gradient, gradient);
    }
    double length = steps.empty() ? std::min(1.0, 1 / std::sqrt(-slope)) : 1, value = 0;
    int halvings = 0;
    for (; halvings < kHalvings; ++halvings, length /= 2) {
      for (size_t i = 0; i < size; ++i) next[i] = best.at[i] - length * direction[i];
      value = objective(next, next_gradient);
      if (value <= best.value + kEnough * length * slope) break;
    }
    if (halvings == kHalvings) {
      if (steps.empty()) break;  // as low as the arithmetic goes
      steps.clear();
      continue;
    }
    Step step;
    step.moved.resize(size);
    step.turned.resize(size);
    for (size_t i = 0; i < size; ++i) {
      step.moved[i] = next[i] - best.at[i];
      step.turned[i] = next_gradient[i] - gradient[i];
    }
    step.curvature = Dot(step.moved, step.turned);
    if (step.curvature > 1e-12 * Dot(step.turned, step.turned)) {
      steps.push_back(std::move(step));
      if (steps.size() > options.memory) steps.pop_front();
    }
    best.at.swap(next);
    gradient.swap(next_gradient);
    best.value = value;
  }
  return best;
}

}  // namespace atelier::rank
