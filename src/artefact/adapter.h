// A low-rank adapter (Hu et al. 2021) of a decoder: for some of its matrices W [outs, ins] two small ones, so that W
// stands for W + scale B A, A [rank, ins], B [outs, rank]. As a file it is
//   GGUF   as llama.cpp reads it: general.type "adapter", tensors NAME.lora_a and NAME.lora_b
//   PEFT   a folder as Hugging Face's library has it: adapter_config.json, adapter_model.safetensors
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "artefact/gguf.h"

namespace atelier::artefact {

struct LoraPair {
  std::string tensor;  // GGUF's: "blk.0.attn_q.weight"
  int64_t rank = 0, ins = 0, outs = 0;
  std::vector<float> a, b;  // [rank, ins], [outs, rank]
};

struct Adapter {
  std::string architecture;  // of the model that it is for: "llama"
  double alpha = 0;          // scale = alpha / rank
  std::vector<LoraPair> pairs;
  std::string name, licence, base;  // base: the model's name or hash, for people

  double scale(const LoraPair& pair) const { return alpha / static_cast<double>(pair.rank); }
};

bool IsAdapter(const GgufFile& file);

// Reads the GGUF form. Throws kCorrupt and kUnsupported that name the file and the tensor.
Adapter ReadAdapterGguf(const std::string& path);
Adapter ReadAdapterGguf(const GgufFile& file);
void WriteAdapterGguf(const Adapter& adapter, const std::string& path);

// The folder of PEFT's. Rows of q and k that turn in pairs in GGUF's llama lie in halves there, so both need the heads'
// width: `head_dim`, 0 where rows lie alike.
void WriteAdapterPeft(const Adapter& adapter, int64_t head_dim, const std::string& folder);
Adapter ReadAdapterPeft(const std::string& folder, const std::string& architecture, int64_t head_dim);

}  // namespace atelier::artefact
