// How commands find what turns texts into vectors and words.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "app/atelier/command.h"
#include "artefact/embedder.h"
#include "artefact/registry.h"
#include "artefact/searcher.h"
#include "retrieve/analysis.h"
#include "store/studio.h"

namespace atelier::app {

// The embedder that indexes are made with where nobody names one.
inline constexpr const char* kDefaultEmbedder = "e5-small";

// A registered name, a name in the user's store, or a path. Throws kNotFound.
std::shared_ptr<artefact::Embedder> LoadEmbedderNamed(store::Studio& studio, const std::string& name);
// The same, null where it is not here.
std::shared_ptr<artefact::Embedder> FindEmbedder(store::Studio& studio, const std::string& name);
// For a command that works without a studio, too.
std::shared_ptr<artefact::Embedder> EmbedderHere(const Globals& globals, const std::string& name);

// segmenter-zh as an index names it, "segmenter-zh:HASH". Throws kNotFound where it has not been pulled.
std::string ModelSegmenter(store::Studio& studio);
// Gives segmenters by these names. REQUIRES: the studio outlives it.
retrieve::WordsProvider WordsOf(store::Studio& studio);

// Embedders that somebody holds, each loaded once whoever asks: a server answers /v1/embeddings and searches with the
// same weights. From any thread.
class EmbedderPool {
 public:
  explicit EmbedderPool(int threads = 0) : threads_(threads) {}
  // Loads where nobody holds these weights; who asks meanwhile waits. Throws kNotFound where the file is gone.
  std::shared_ptr<artefact::Embedder> Get(const artefact::ModelEntry& entry);

 private:
  const int threads_;  // of each; 0: as many as there are processors
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<artefact::Embedder>> held_;  // by name and SHA-256 of the weights
};

// The indexes of the studio in this folder, for recipes. Opens the studio anew where an index is opened, so that any
// thread may search.
std::shared_ptr<artefact::Searcher> SearchOf(const std::string& studio_folder,
                                             std::shared_ptr<EmbedderPool> pool = std::make_shared<EmbedderPool>());

}  // namespace atelier::app
