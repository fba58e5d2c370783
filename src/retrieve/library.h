// The studio's indexes, each opened once: what recipes and the server search in.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "artefact/searcher.h"
#include "retrieve/index.h"

namespace atelier::retrieve {

// Gives an embedder by name, of the weights that the name has now; loads it where nobody did. Throws Error(kNotFound).
using EmbedderProvider = std::function<std::shared_ptr<artefact::Embedder>(const std::string& name)>;

class Library : public artefact::Searcher {
 public:
  Library(std::string studio, EmbedderProvider embedders, WordsProvider words)
      : studio_(std::move(studio)), embedders_(std::move(embedders)), words_(std::move(words)) {}

  // An index that was written to since is opened anew. From any thread.
  std::vector<artefact::Passage> Search(const artefact::SearchRequest& request) override;
  std::vector<artefact::Match> Compare(const std::string& index, const std::string& question,
                                       const std::vector<std::string>& texts) override;
  std::string Version(const std::string& index) override;

 private:
  struct Open {
    std::shared_ptr<const Index> index;
    std::shared_ptr<artefact::Embedder> embedder;  // null where the index has no vectors
  };
  Open Get(const std::string& name);

  std::string studio_;
  EmbedderProvider embedders_;
  WordsProvider words_;
  std::mutex mutex_;
  std::map<std::string, Open> open_;
  std::map<std::string, std::shared_ptr<artefact::Embedder>> loaded_;
};

}  // namespace atelier::retrieve
