// Gemma 3 (Gemma Team 2025): embeddings scaled by sqrt(width), GeGLU, norms before and after both branches, normalised
// queries and keys, and five layers with a sliding window and their own RoPE base for each one that sees everything.
// GGUF stores norm weights with Gemma's "+ 1" already added.
#include <cmath>

#include "base/error.h"
#include "base/str.h"
#include "runtime/arch/arch.h"

namespace atelier::runtime {

DecoderSpec ReadGemma3(const artefact::GgufFile& file) {
  DecoderSpec spec = ReadCommon(file);
  spec.gate = kernel::Gate::kGeluTanh;
  spec.embedding_scale = std::sqrt(static_cast<float>(spec.width));
  spec.qk_norm = true;
  spec.post_norms = true;
  spec.final_softcap = static_cast<float>(file.FloatOr(Key(file, "final_logit_softcapping"), 0));
  // The 27B model scales queries by its width per head instead of the head's size; 62 blocks tell it apart.
  if (spec.layers.size() == 62) {
    spec.attention_scale = 1.0f / std::sqrt(static_cast<float>(spec.width) / static_cast<float>(spec.heads));
  }
  RopeSpec local = spec.ropes[0];
  local.base = file.FloatOr(Key(file, "rope.freq_base_swa"), 10000);
  local.linear = 1;
  local.original_context = 0;
  local.magnitude = 1;
  spec.ropes.push_back(local);
  const int64_t window = file.IntOr(Key(file, "attention.sliding_window"), 0, 0, int64_t{1} << 30);
  const int64_t period = file.IntOr(Key(file, "attention.sliding_window_pattern"), 6, 1, 1024);
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    if (window > 0 && (static_cast<int64_t>(i) + 1) % period != 0) spec.layers[i] = {window, 1};
  }
  return spec;
}

}  // namespace atelier::runtime
