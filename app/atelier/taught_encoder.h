// An encoder taught by choices, for a ranker that is learned on its vectors.
#pragma once

#include <cstdint>
#include <string>

#include "app/atelier/command.h"
#include "app/atelier/studio_here.h"
#include "rank/choices.h"

namespace atelier::app {

struct TeachOptions {
  std::string loss;      // pairwise, listwise
  bool product = false;  // the texts' vectors also meet their contexts'
  int64_t rank = 16;     // of the adapters
  double rate = 5e-4, epochs = 3;
  int64_t seed = 1;
  bool resume = false;
};

struct Taught {
  artefact::ModelEntry encoder;
  rank::Choices rest;  // the choices that had no part in it: half of them, whole groups
  Json run;            // what the run said at its end, and "report": its page
};

// Teaches `base` by adapters (architecture bert_ranker) on half of the choices, a fifth of them to stop by, and lays
// them into a copy, NAME-encoder: registered in a studio, else beside its run. What a ranker learns on the other half
// then knows how good the vectors are on choices that the encoder has not seen. Without `encoder.path` it was
// interrupted. Throws kInvalidInput for choices of fewer than 8 groups, or a base that is no encoder; kConflict where a
// run of that name is there and is not gone on with.
Taught TeachEncoder(StudioHere& here, const std::string& name, const artefact::ModelEntry& base,
                    const rank::Choices& choices, const TeachOptions& options, const Globals& globals);

}  // namespace atelier::app
