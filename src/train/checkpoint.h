// A run's state in one safetensors file: a model file (model/model_file.h) with the averaged parameters, the
// optimisers' arrays, random numbers and a JSON of counters besides. Written atomically, with a hash over all of it.
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/model_file.h"

namespace atelier::train {

struct Checkpoint {
  Json state = Json::object();  // step, epoch, schedule ...
  model::About about;
  std::map<std::string, torch::Tensor> tensors;  // contiguous, on the CPU

  void Save(const std::string& path) const;
  // Throws kCorrupt, with what to resume from instead.
  static Checkpoint Load(const std::string& path);
};

}  // namespace atelier::train
