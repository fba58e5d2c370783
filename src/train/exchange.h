// Adds the gradients of all processes up while the backward pass still goes on: the arena is cut into buckets, and a
// bucket is sent as soon as the last of its gradients is there (Li et al. 2020, "PyTorch Distributed").
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "train/arena.h"
#include "train/collective.h"

namespace atelier::train {

class Exchange {
 public:
  // `bucket` in elements. Both outlive the object.
  Exchange(Arena& arena, Collective& collective, int64_t bucket = int64_t{1} << 20);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Before the backward pass of the step's last micro-batch: from here on gradients are final.
  void Begin();
  // After it: what was not sent yet is, and all is waited for.
  void Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace atelier::train
