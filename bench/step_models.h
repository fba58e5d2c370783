// The models whose training steps are measured, as one visible list. Each has its PyTorch peer in tools/step_peers/.
#pragma once

#include <memory>
#include <string_view>

#include "model/model.h"
#include "train/settings.h"

namespace atelier::bench {

struct StepModel {
  std::string_view name;
  std::shared_ptr<model::Model> (*make)();
  model::Batch (*draw)();  // from torch's generator, draw by draw as the peer does
  train::OptimiserSettings optimiser;
  bool clip = true;  // gradients to a norm of 1
};

// Null where there is none.
const StepModel* FindStepModel(std::string_view name);

}  // namespace atelier::bench
