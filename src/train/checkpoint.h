// A run's state in one safetensors file: parameters by their names, the optimisers' arrays, the average, random
// numbers, and a JSON of counters. Written atomically, with a hash over all of it. docs/formats/checkpoint.md.
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "train/arena.h"

namespace atelier::train {

struct Checkpoint {
  Json state = Json::object();                   // step, epoch, schedule ...
  std::string config;                            // the run's TOML, as it was read
  std::map<std::string, torch::Tensor> tensors;  // contiguous, on the CPU

  void Save(const std::string& path) const;
  // Throws kCorrupt, with what to resume from instead.
  static Checkpoint Load(const std::string& path);
};

}  // namespace atelier::train
