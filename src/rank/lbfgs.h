// The least value of a smooth convex function: L-BFGS (Liu and Nocedal 1989) with a line search that backtracks
// (Armijo), in double arithmetic and always in the same order, so that equal inputs give equal bits.
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace atelier::rank {

// The value at `at`, and its gradient in `gradient` (as long, to be filled).
using ObjectiveFn = std::function<double(std::span<const double> at, std::span<double> gradient)>;

struct LbfgsOptions {
  size_t memory = 10;       // steps that the curvature is read from
  size_t iterations = 500;  // at most
  double gradient = 1e-8;   // ends once no slope is steeper
};

struct Minimum {
  std::vector<double> at;
  double value = 0;
  size_t iterations = 0;
  bool converged = false;  // false: iterations ran out, or no step got lower any more
};

Minimum Minimise(const ObjectiveFn& objective, std::vector<double> start, const LbfgsOptions& options = {});

}  // namespace atelier::rank
