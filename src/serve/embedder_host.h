// The embedding models that a server offers, each loaded on first use and kept with the queue before it.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "artefact/registry.h"
#include "serve/embedding_queue.h"

namespace atelier::serve {

class EmbedderHost {
 public:
  using Loader = std::function<std::shared_ptr<artefact::Embedder>(const artefact::ModelEntry& entry)>;
  EmbedderHost(Loader load, size_t most_waiting) : load_(std::move(load)), most_waiting_(most_waiting) {}

  // Loads where it must; others that ask for the same model meanwhile wait for it. From any thread, but not the
  // queues'.
  std::shared_ptr<EmbeddingQueue> Get(const artefact::ModelEntry& entry);
  // Lets go of all but these, with the weights that they have now. What still waits for the others ends.
  void Keep(const std::vector<artefact::ModelEntry>& registered);
  void Clear() { Keep({}); }
  std::map<std::string, std::shared_ptr<EmbeddingQueue>> Loaded() const;

 private:
  struct Slot {
    std::string sha256;
    std::shared_ptr<EmbeddingQueue> queue;  // null while it is loaded
  };
  const Loader load_;
  const size_t most_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable loaded_;
  std::map<std::string, Slot> slots_;
};

}  // namespace atelier::serve
