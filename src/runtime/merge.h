// An adapter laid into its model for good: W + scale B A in place of W.
#pragma once

#include <optional>
#include <string>

#include "artefact/adapter.h"
#include "artefact/gguf.h"
#include "base/progress.h"
#include "kernel/format.h"

namespace atelier::runtime {

// Throws kConflict, naming what differs, where the adapter is for another architecture, a tensor that the model has
// not, or another shape.
void CheckAdapter(const artefact::GgufFile& file, const artefact::Adapter& adapter);

struct MergeOptions {
  // Of the matrices that the adapter changes. Unset: each keeps the model's own, which rounds the adapter as coarsely
  // as the model; q8_0 loses next to nothing.
  std::optional<kernel::Format> format;
  std::string name, licence;  // of the merged model; "": the file's own
  int threads = 0;
};

// Writes the whole model to `to`, atomically.
void MergeAdapter(const artefact::GgufFile& file, const artefact::Adapter& adapter, const MergeOptions& options,
                  const std::string& to, const ProgressFn& progress = nullptr);

}  // namespace atelier::runtime
