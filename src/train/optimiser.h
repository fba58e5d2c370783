// Optimisers over an arena. Each states its update; g is the gradient after clipping, r the rate of this step, d the
// decoupled weight decay (Loshchilov & Hutter 2019), which matrices alone feel.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "train/arena.h"
#include "train/settings.h"

namespace atelier::train {

class Optimiser {
 public:
  virtual ~Optimiser() = default;
  // Multiplies the gradients by `scale`, steps, and leaves them zero.
  virtual void Step(double rate, double scale) = 0;
  // What a checkpoint keeps, by name, each as long as the arena. Loading copies into them and sets `steps`.
  virtual std::vector<std::pair<std::string, torch::Tensor>> State() const = 0;
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }

 protected:
  int64_t steps_ = 0;  // done so far
};

//   adamw  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
//          p = (1 - r d) p - r / (1-b1^t) * m / (sqrt(v / (1-b2^t)) + eps)        (Kingma & Ba 2015)
//   sgd    u = momentum u + g (the first u is g);  p = (1 - r d) p - r u
//   lion   p = (1 - r d) p - r sign(b1 m + (1-b1) g);  m = b2 m + (1-b2) g        (Chen et al. 2023)
std::unique_ptr<Optimiser> MakeOptimiser(const OptimiserSettings& settings, const Arena& arena);

// The norm of all gradients of the arena, in f64.
double GradientNorm(const Arena& arena);

}  // namespace atelier::train
