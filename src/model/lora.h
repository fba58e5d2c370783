// Low-rank adapters (Hu et al. 2021): a frozen linear layer y = x W^T (+ b) learns
//   y = x W^T (+ b) + alpha / rank * (drop(x) A^T) B^T,  A [rank, in], B [out, rank]
// Fresh, A is uniform within 1 / sqrt(in) and B nought, as PEFT makes them: at the start nothing is changed.
#pragma once

#include <torch/torch.h>

#include <span>
#include <string>
#include <vector>

#include "artefact/adapter.h"
#include "base/config.h"
#include "model/frozen.h"

namespace atelier::model {

// A linear layer of a block: GGUF's name, and Hugging Face's within a block.
struct LinearName {
  std::string gguf, hf;
};

// Those of a decoder's block, by GGUF's names.
inline const std::vector<std::string> kLinearLayers = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                                       "ffn_gate", "ffn_up", "ffn_down"};

struct LoraConfig {
  int64_t rank = 16;
  double alpha = 32;
  double dropout = 0;
  std::vector<std::string> targets = kLinearLayers;

  double scale() const { return alpha / static_cast<double>(rank); }
  bool Has(const std::string& layer) const;
};

// The keys `rank`, `alpha` (2 rank), `targets` (all `layers`) and the one that `dropout` names. A target is GGUF's name
// of a layer, or the end of Hugging Face's, as PEFT matches it: "output.dense" is two layers of BERT's. Throws
// kInvalidInput for one that is neither.
LoraConfig ReadLora(Table& config, std::span<const LinearName> layers, const char* dropout);

// While one lives, this thread computes forward passes as if there were no adapters: the model as it was.
class AdaptersOff {
 public:
  AdaptersOff() : before_(off_) { off_ = true; }
  ~AdaptersOff() { off_ = before_; }
  AdaptersOff(const AdaptersOff&) = delete;
  AdaptersOff& operator=(const AdaptersOff&) = delete;
  static bool Holds() { return off_; }

 private:
  static thread_local bool off_;
  const bool before_;
};

class LoraLinear : public torch::nn::Module {
 public:
  // `bias` may be undefined; `lora` null where the layer is left as it is.
  LoraLinear(FrozenMatrix weight, torch::Tensor bias, const LoraConfig* lora);
  torch::Tensor forward(const torch::Tensor& x) const;
  // The same of rows of bf16, by fused::AdaptedLinear. REQUIRES: nothing is dropped now.
  torch::Tensor Fused(const torch::Tensor& rows) const;
  bool Drops() const { return dropout_ > 0 && is_training(); }

  FrozenMatrix weight;
  torch::Tensor bias;            // [out], frozen
  torch::Tensor lora_a, lora_b;  // undefined without an adapter

 private:
  double scale_ = 0, dropout_ = 0;
};

// What the adapters below `module` have learned, by the names of its parameters, for the model that `base` holds.
artefact::Adapter AdapterOf(const torch::nn::Module& module, const artefact::GgufFile& base, double alpha);

}  // namespace atelier::model
