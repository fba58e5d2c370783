// Runs an EncoderSpec: texts' tokens in, one vector each out, or one for each of their tokens.
//
// A few texts are computed by all threads together, which share out the rows of the weights; many are shared out among
// the threads, a bundle at a time. A text's vector depends on its own tokens alone, bit for bit: not on what stands
// beside it, nor on the number of threads.
//
// One caller at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "artefact/gguf.h"
#include "base/thread_pool.h"
#include "kernel/packed.h"
#include "kernel/table.h"
#include "runtime/arch/arch.h"

namespace atelier::runtime {

struct EncoderLayer {
  kernel::PackedMatrix query, key, value, output;          // [width, width]
  kernel::PackedMatrix up, down;                           // [hidden, width], [width, hidden]
  std::vector<float> query_bias, key_bias, value_bias;     // [width]
  std::vector<float> output_bias, up_bias, down_bias;      // [width], [hidden], [width]
  std::vector<float> attention_norm, attention_norm_bias;  // [width]
  std::vector<float> ffn_norm, ffn_norm_bias;              // [width]
};

struct EncoderWeights {
  std::shared_ptr<const artefact::GgufFile> file;  // owns the embedding's bytes
  const uint8_t* embedding = nullptr;              // [vocab, width] in `embedding_format`
  kernel::Format embedding_format = kernel::Format::kF32;
  std::vector<float> positions;        // [context, width]: learned, the first token type already added
  std::vector<float> norm, norm_bias;  // [width]
  std::vector<EncoderLayer> layers;
};

// Checks every tensor's presence, type and shape against the spec. Throws kCorrupt or kUnsupported naming the tensor.
EncoderWeights LoadEncoderWeights(std::shared_ptr<const artefact::GgufFile> file, const EncoderSpec& spec,
                                  ThreadPool* pool);

class Encoder {
 public:
  Encoder(EncoderSpec spec, EncoderWeights weights, const kernel::Table& kernels, std::unique_ptr<ThreadPool> threads);
  ~Encoder();

  const EncoderSpec& spec() const { return spec_; }
  const kernel::Table& kernels() const { return kernels_; }
  ThreadPool* threads() const { return threads_.get(); }

  // out[i * width ...]: the mean over text i's tokens in the last layer, brought to length 1. Throws kInvalidInput for
  // a text without tokens, with more than the context, or with a token outside of the vocabulary.
  void Forward(std::span<const std::vector<int32_t>> texts, float* out);
  // out[i], [tokens of text i][width]: every token after the first `layers` layers. Throws as Forward.
  // REQUIRES: 1 <= layers <= spec().layers.
  void ForwardTokens(std::span<const std::vector<int32_t>> texts, int64_t layers, std::span<float* const> out);

 private:
  struct Scratch;
  class Pass;

  void Run(std::span<const std::vector<int32_t>> texts, std::span<float* const> out, size_t layers, bool pool);

  EncoderSpec spec_;
  EncoderWeights weights_;
  const kernel::Table& kernels_;
  std::unique_ptr<ThreadPool> threads_;
  std::vector<std::unique_ptr<Scratch>> scratch_;  // one per thread; the first serves all of them together, too
};

}  // namespace atelier::runtime
