// A ranker's file at work.
#pragma once

#include <memory>

#include "artefact/embedder.h"
#include "artefact/ranker.h"
#include "artefact/ranker_file.h"

namespace atelier::rank {

// Throws kConflict where `encoder` is not the one that the file was trained on: other weights, or other vectors.
// REQUIRES: an encoder where the file names one; else it may be null.
std::shared_ptr<artefact::Ranker> MakeRanker(artefact::RankerFile file, artefact::ModelInfo info,
                                             std::shared_ptr<artefact::Embedder> encoder);

}  // namespace atelier::rank
