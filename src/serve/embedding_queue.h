// One embedding model at the service of many clients: their texts are computed together, a round at a time, in which
// owners get equal shares, and the requests of one owner as well; a client that has gone costs no more than the round
// that runs.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "artefact/embedder.h"

namespace atelier::serve {

class EmbeddingQueue {
 public:
  // Of the texts that were computed: all of them, or the first few where the request was cancelled.
  struct Result {
    std::vector<float> vectors;   // [texts][dims]
    std::vector<bool> truncated;  // [texts]
  };
  // Called once, on the queue's thread or by whoever ends it; must not throw nor wait.
  using DoneFn = std::function<void(Result result, std::exception_ptr error)>;
  static constexpr size_t kMostBytes = size_t{64} << 20;  // of texts that wait

  // At most `most_waiting` requests; an owner with a name may have half of them.
  EmbeddingQueue(std::shared_ptr<artefact::Embedder> model, size_t most_waiting);
  ~EmbeddingQueue();  // what waits ends with kUnavailable
  EmbeddingQueue(const EmbeddingQueue&) = delete;
  EmbeddingQueue& operator=(const EmbeddingQueue&) = delete;

  const artefact::Embedder& model() const { return *model_; }
  // Throw kResourceExhausted where too many wait. From any thread.
  void CheckRoom(const std::string& owner) const;
  std::shared_ptr<artefact::Ticket> Submit(const std::string& owner, std::vector<std::string> texts,
                                           artefact::Embedder::Role role, DoneFn done);

  struct Load {
    size_t waiting = 0;             // requests, those at work among them
    int64_t texts = 0, rounds = 0;  // since the start
  };
  Load load() const;

 private:
  struct Job;
  struct Part {
    std::shared_ptr<Job> job;
    size_t text;
  };
  void Loop();
  void Check(const std::string& owner) const;  // REQUIRES: mutex_ is held
  std::vector<Part> NextRound();               // REQUIRES: mutex_ is held
  void DropCancelled(std::vector<std::shared_ptr<Job>>* ended);

  const std::shared_ptr<artefact::Embedder> model_;
  const size_t most_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, std::deque<std::shared_ptr<Job>>> jobs_;  // by owner, none empty; texts still to be taken
  std::map<std::string, size_t> of_owner_;                        // requests, those at work among them
  std::string last_owner_;                                        // whose turn it was
  size_t waiting_ = 0, bytes_ = 0;
  Load counted_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace atelier::serve
