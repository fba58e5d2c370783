// How commands find what turns texts into vectors and words.
#pragma once

#include <memory>
#include <string>

#include "artefact/embedder.h"
#include "retrieve/analysis.h"
#include "store/studio.h"

namespace atelier::app {

// The embedder that indexes are made with where nobody names one.
inline constexpr const char* kDefaultEmbedder = "e5-small";

// A registered name, a name in the user's store, or a path. Throws kNotFound.
std::shared_ptr<artefact::Embedder> LoadEmbedderNamed(store::Studio& studio, const std::string& name);
// The same, null where it is not here.
std::shared_ptr<artefact::Embedder> FindEmbedder(store::Studio& studio, const std::string& name);

// The Chinese segmenter as retrieval asks for it; null where none has been pulled.
retrieve::WordsFn FindWords(store::Studio& studio);

}  // namespace atelier::app
