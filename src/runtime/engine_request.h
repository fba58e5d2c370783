// What the engine makes of a request: a prompt that is read, then samples that grow. The engine's thread alone uses
// them, but for a ticket's Cancel.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/engine.h"
#include "runtime/sampler.h"
#include "runtime/stop_text.h"

namespace atelier::runtime {

struct Engine::Request : artefact::Ticket {
  void Cancel() override { cancelled.store(true); }

  artefact::GenerateRequest request;
  artefact::StreamFn stream;
  artefact::DoneFn done;
  std::vector<int32_t> prompt;
  std::shared_ptr<const Constraint> constraint;   // null: none
  std::shared_ptr<const AdapterWeights> adapter;  // null: none
  uint64_t adapter_id() const { return adapter != nullptr ? adapter->id : 0; }
  std::atomic<bool> cancelled{false};  // seen before the next pass

  Sequence start;       // the prompt but for its last token, until the samples fork from it
  bool parked = false;  // as a sample's
  std::vector<std::unique_ptr<Reply>> replies;
  artefact::GenerateResult result;
  double submitted = 0, admitted = 0;
};

// One sample. What it consists of is `context`, what of that is computed is `sequence`: a pass takes the difference.
struct Engine::Reply {
  Reply(Request* owner, int at, const Decoder& decoder)
      : request(owner),
        sequence(owner->start),
        sampler(owner->request.sampling, owner->request.seed, at, decoder.spec().vocab, decoder.kernels()),
        stop(owner->request.stop),
        context(owner->prompt),
        index(at) {
    if (owner->constraint != nullptr) matcher.emplace(owner->constraint);
    out.finish = artefact::Finish::kLength;
    const int64_t left = decoder.spec().context - static_cast<int64_t>(context.size()) + 1;
    most = static_cast<size_t>(std::min<int64_t>(owner->request.max_tokens, left));
    done = most == 0;
  }

  // False: the listener has had enough.
  bool Tell(std::string_view text) {
    if (!request->stream) return true;
    const std::span<const artefact::TokenLogprob> logprobs = std::span(out.logprobs).subspan(told);
    told = out.logprobs.size();
    return request->stream(index, {text, logprobs});
  }

  Request* request;
  Sequence sequence;
  Sampler sampler;
  StopText stop;
  std::optional<Matcher> matcher;
  TokenMask mask;                // of the next token, where there is a matcher
  std::vector<int32_t> context;  // prompt and reply
  int index;
  size_t most = 0;  // tokens of the reply
  artefact::Generated out;
  size_t told = 0;  // of out.logprobs, in pieces of the stream
  int32_t next = -1;
  artefact::TokenLogprob logprob;
  bool done = false;
  std::exception_ptr error;  // its constraint cannot go on, or was broken
  bool parked = false;       // gave its pages back; waits for others to end
};

// What takes part in passes: a sample, or a prompt that its samples wait for.
struct Engine::Unit {
  Request* request;
  Reply* reply;  // null: the prompt
  Sequence* sequence;
  bool* parked;
  std::span<const int32_t> tokens;  // to be computed, of which `sequence` has the first

  size_t known() const { return static_cast<size_t>(sequence->length()); }
  size_t pending() const { return tokens.size() - known(); }
};

// A unit's part in the pass that is being put together.
struct Engine::Planned {
  Unit unit;
  std::span<const int32_t> tokens;

  bool samples() const { return unit.reply != nullptr && unit.known() + tokens.size() == unit.tokens.size(); }
};

}  // namespace atelier::runtime
