// What becomes of a tuned model's run: its adapter in both forms, and the model with it merged.
#pragma once

#include <string>

#include "app/atelier/training_run.h"
#include "runtime/merge.h"

namespace atelier::app {

struct TunedModel {
  std::string model, adapter, peft;  // the registered name or the file's path; the adapter's file and PEFT's folder
};

// Writes adapter.gguf and peft/ into the run's folder, and the merged model, which is registered under the run's name
// with the licence and the terms of `base`. `merge`: what its changed matrices become; name and licence are set here.
TunedModel KeepTunedModel(StudioHere& here, const TrainingRun& run, const artefact::ModelEntry& base,
                          runtime::MergeOptions merge, const Globals& globals);

}  // namespace atelier::app
