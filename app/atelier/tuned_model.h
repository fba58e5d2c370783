// What becomes of a tuned model's run: its adapter in both forms, and the model with it merged.
#pragma once

#include <optional>
#include <string>

#include "app/atelier/training_run.h"
#include "runtime/merge.h"

namespace atelier::app {

struct TunedModel {
  std::string model;          // what commands know the tuned model by: BASE+NAME, or of a merged one its name or path
  std::string base;           // and the one that was tuned: its name or path
  std::string adapter, peft;  // the adapter's file and PEFT's folder
};

// Writes adapter.gguf and peft/ into the run's folder. The adapter, or where `merge` is given the model with the
// adapter laid into it, is registered under the run's name with the licence and the terms of `base`. `merge`: what the
// changed matrices become; name and licence are set here.
TunedModel KeepTunedModel(StudioHere& here, const TrainingRun& run, const artefact::ModelEntry& base,
                          std::optional<runtime::MergeOptions> merge, const Globals& globals);

}  // namespace atelier::app
