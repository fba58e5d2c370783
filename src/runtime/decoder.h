// Runs any DecoderSpec: tokens in, logits out, keys and values into the sequences' pages.
//
// One forward pass is one parallel region in which every thread walks the same steps and meets the others at spin
// barriers; work inside a step is split by rows of the weights or by tokens. A token's result depends on its own
// sequence alone, bit for bit: not on what else is in the pass, nor on how a prompt was cut into passes.
//
// One caller at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "kernel/table.h"
#include "runtime/adapter_weights.h"
#include "runtime/kv_cache.h"
#include "runtime/rope.h"
#include "runtime/weights.h"

namespace atelier::runtime {

// Tokens to append to one sequence in a pass.
struct Chunk {
  Sequence* sequence = nullptr;
  std::span<const int32_t> tokens;
  size_t logits_from = 0;                   // logits are wanted for tokens [logits_from, size)
  const AdapterWeights* adapter = nullptr;  // made for this model
};

// Called once per wanted token with its logits [vocab], from any thread of the pool, several at a time; must not throw.
// `chunk` and `token` are indices. The logits may be changed in place; they are gone after the call.
using LogitsFn = std::function<void(size_t chunk, size_t token, float* logits)>;

// For those who measure what products are given: rows [count, cols], on one thread of the pool, in the order of the
// pass; must not throw.
using InputFn = std::function<void(size_t layer, LayerInput input, const float* rows, int64_t count, int64_t cols)>;

class Decoder {
 public:
  // `kv_bytes`: the most memory that keys and values may take.
  Decoder(DecoderSpec spec, DecoderWeights weights, const kernel::Table& kernels, std::unique_ptr<ThreadPool> threads,
          size_t kv_bytes);
  ~Decoder();

  const DecoderSpec& spec() const { return spec_; }
  PagePool* pages() { return &pages_; }
  ThreadPool* threads() const { return threads_.get(); }
  const kernel::Table& kernels() const { return kernels_; }
  size_t weight_bytes() const { return weights_.bytes; }

  // Tokens are checked against the vocabulary and the context: kInvalidInput. Throws kResourceExhausted when the pages
  // do not suffice; sequences then keep their old length. REQUIRES: no sequence stands in two chunks.
  void Forward(std::span<const Chunk> chunks, const LogitsFn& on_logits, const InputFn& on_input = nullptr);

 private:
  struct Row;      // one token of a pass
  struct Scratch;  // buffers of a pass
  class Pass;      // one pass as its threads see it

  DecoderSpec spec_;
  DecoderWeights weights_;
  const kernel::Table& kernels_;
  std::unique_ptr<ThreadPool> threads_;
  PagePool pages_;
  std::vector<RopeTable> ropes_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace atelier::runtime
