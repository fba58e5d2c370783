// Text and pictures from models that only LibTorch runs, by a child process.
#pragma once

#include <cstdint>
#include <string>

#include "app/atelier/command.h"
#include "artefact/registry.h"

namespace atelier::app {

struct LearnedRequest {
  std::string prompt;
  int64_t tokens = 128;
  int64_t samples = 0;  // 0: one text, or a grid of 64 pictures
  int64_t top_k = 0, seed = 0;
  double temperature = 1;
  std::string out;           // the picture's file; "" for text
  bool interpolate = false;  // ways between pictures
};

// Whether `entry` is such a model.
bool IsLearned(const artefact::ModelEntry& entry);

// Prints what was made. Throws kUsage where the request does not fit the model.
void GenerateLearned(const artefact::ModelEntry& entry, const LearnedRequest& request, bool json);

}  // namespace atelier::app
