// Many requests on one model at once: continuous batching (Yu et al. 2022, Orca) over pages of keys and values that
// requests with the same beginning share (prefix_tree.h).
//
// One thread owns the decoder, the pages and everything that a request becomes; others hand over typed tasks and get
// callbacks. Every pass takes one token of each running sample and, beside them, a bounded piece of prompts that wait
// to be read, so that a long prompt never holds up the replies of others for more than a moment.
//
//   room      Samples take pages as they grow. When none is left the oldest cached prompt goes, then the sample that
//             was started last is parked: it gives its pages back and later computes them again. By the decoder's
//             promise that changes no bit. A sample that does not fit alone ends its request: kResourceExhausted.
//   fairness  Waiting requests are taken by owner, the one that was served least first, counted in tokens (Sheng et
//             al. 2024, "Fairness in Serving Large Language Models").
//
// Not here: tokenizing and templates, which callers do on their own threads.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "artefact/generator.h"
#include "runtime/constraint/constraint.h"
#include "runtime/decoder.h"
#include "runtime/prefix_tree.h"
#include "text/tokenizer.h"

namespace atelier::runtime {

// Affect speed and memory only.
struct EngineLimits {
  size_t queue = 1024;               // requests that may wait; one more is refused
  size_t batch = 64;                 // samples decoded in one pass
  size_t prompt_tokens = 128;        // of waiting prompts per pass while replies run
  size_t prompt_tokens_alone = 512;  // where nothing else runs
  double pass_seconds = 0.25;        // less of prompts, where a pass would take longer: nobody who is written
                                     // to waits more, and who left is noticed between two passes
  uint64_t prefix_bytes = uint64_t{256} << 20;  // the most that cached prompts may take
};

class Engine {
 public:
  Engine(std::unique_ptr<Decoder> decoder, const text::Tokenizer* tokenizer, const EngineLimits& limits);
  // Ends what still runs: kCancelled.
  ~Engine();

  // Takes a request with its prompt's tokens. Throws kResourceExhausted when the queue is full.
  // `constraint` is the request's, compiled; `adapter` is what it is written with; null for none.
  // REQUIRES: a valid request; 1 <= prompt.size() <= context.
  std::shared_ptr<artefact::Ticket> Submit(std::vector<int32_t> prompt, std::shared_ptr<const Constraint> constraint,
                                           std::shared_ptr<const AdapterWeights> adapter,
                                           artefact::GenerateRequest request, artefact::StreamFn stream,
                                           artefact::DoneFn done);

  // Throws kResourceExhausted when the queue is full now.
  void CheckRoom() const;

  // Runs `work` on the engine's thread between two passes and waits for it; what it throws comes out here. It may use
  // what follows, which nobody else may.
  void Between(const std::function<void()>& work);
  // The prompt's sequence, all but its last token computed.
  Sequence Prefill(std::span<const int32_t> prompt, const AdapterWeights* adapter);
  void Forward(std::span<const Chunk> chunks, const LogitsFn& on_logits);

  const Decoder& decoder() const { return *decoder_; }
  artefact::EngineLoad load() const;

 private:
  struct Request;
  struct Reply;
  struct Unit;
  struct Planned;

  void Loop();
  bool TakeTasks();  // false: stop
  void Admit();
  Request* Next() const;  // of those waiting, whose turn it is
  void DropCancelled();
  void Step();
  std::vector<Unit> Units() const;
  void Fork();
  std::vector<Planned> Plan() const;
  void MakeRoom(std::vector<Planned>* plan);
  bool Park(std::vector<Planned>* plan);
  void Unpark();
  void MaskReplies(std::vector<Planned>* plan);
  void Settle(Reply* reply);
  void EndIfDone(Request* request);
  void End(Request* request, std::exception_ptr error);
  void Serve(const std::string& owner, size_t tokens);
  void Publish();
  size_t Samples() const;  // that run
  void Measure(const std::vector<Planned>& plan, double seconds);
  void CheckRoomLocked() const;  // REQUIRES: mutex_ is held

  std::unique_ptr<Decoder> decoder_;
  const text::Tokenizer* tokenizer_;
  const EngineLimits limits_;
  PrefixTree tree_;  // after decoder_: its pages are the decoder's

  // The engine's thread alone.
  std::deque<std::shared_ptr<Request>> waiting_, running_;
  std::map<std::string, double> served_;  // tokens by owner
  double token_seconds_ = 0;              // what a prompt's token took lately; 0: not known yet

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Request>> inbox_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  size_t outstanding_ = 0;  // submitted, not yet admitted
  artefact::EngineLoad load_;

  std::thread thread_;  // last: everything it uses is there before it starts
};

}  // namespace atelier::runtime
