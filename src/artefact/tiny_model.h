// A valid GGUF file of a few hundred bytes, for tests: not a model that could run.
#pragma once

#include <string>

#include "artefact/gguf_writer.h"

namespace atelier::artefact {

inline std::string TinyModel(const std::string& name = "tiny", char fill = 'w') {
  const std::string f32(64 * 4 * 4, fill), q8(2 * 34 * 4, fill);
  GgufWriter writer;
  writer.Set("general.architecture", "llama");
  writer.Set("general.name", name);
  writer.Set("general.license", "mit");
  writer.Set("general.file_type", uint32_t{7});
  writer.Set("llama.context_length", uint32_t{128});
  writer.Set("llama.block_count", uint32_t{1});
  writer.Set("llama.rope.freq_base", 10000.0f);
  writer.Set("tokenizer.ggml.model", "gpt2");
  writer.Set("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b"});
  writer.AddTensor("token_embd.weight", TensorType::kF32, {64, 4}, f32);
  writer.AddTensor("blk.0.attn_q.weight", TensorType::kQ8_0, {64, 4}, q8);
  return writer.ToBytes();
}

}  // namespace atelier::artefact
