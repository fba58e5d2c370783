// Texts to vectors for the measures by meaning: in batches, every text once.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "artefact/embedder.h"
#include "base/progress.h"

namespace atelier::evaluate {

// Unit vectors [texts][dims]. All in the role of queries, which is what e5's authors advise where two texts are to be
// alike and neither looks for the other. `cut`: how many are longer than the model reads. Throws kCorrupt for a vector
// that is none.
std::vector<float> EmbedTexts(artefact::Embedder& embedder, std::span<const std::string_view> texts,
                              const ProgressFn& progress = nullptr, size_t* cut = nullptr);

// Of two vectors of `dims` numbers; always in the same order.
double Dot(const float* a, const float* b, size_t dims);

}  // namespace atelier::evaluate
