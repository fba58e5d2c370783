// A decoder's weights in memory: matrices packed for the kernels, vectors in f32, the embedding as the file has it.
#pragma once

#include <memory>
#include <vector>

#include "artefact/gguf.h"
#include "base/thread_pool.h"
#include "kernel/packed.h"
#include "runtime/arch/arch.h"

namespace atelier::runtime {

struct LayerWeights {
  std::vector<float> attention_norm, ffn_norm;            // [width]
  std::vector<float> post_attention_norm, post_ffn_norm;  // [width], where the spec has post_norms
  std::vector<float> query_norm, key_norm;                // [head_dim], where it has qk_norm
  std::vector<float> query_bias, key_bias, value_bias;    // [rows], may be empty
  kernel::PackedMatrix query, key, value;                 // [heads*head_dim | kv_heads*head_dim, width]
  kernel::PackedMatrix output;                            // [width, heads*head_dim]
  kernel::PackedMatrix gate, up;                          // [hidden, width]
  kernel::PackedMatrix down;                              // [width, hidden]
};

struct DecoderWeights {
  std::shared_ptr<const artefact::GgufFile> file;  // owns the embedding's bytes
  const uint8_t* embedding = nullptr;              // [vocab, width] in `embedding_format`
  kernel::Format embedding_format = kernel::Format::kF32;
  std::vector<float> output_norm;  // [width]
  kernel::PackedMatrix head;       // [vocab, width]; packed from the embedding where the two are tied
  std::vector<LayerWeights> layers;
  bool all_f32 = true;  // no matrix is narrower than f32
  size_t bytes = 0;     // of the packed matrices
};

// Checks every tensor's presence, type and shape against the spec. Throws kCorrupt or kUnsupported naming the tensor.
DecoderWeights LoadWeights(std::shared_ptr<const artefact::GgufFile> file, const DecoderSpec& spec, ThreadPool* pool);

}  // namespace atelier::runtime
