// Transformer language model.
//
// Two forms of one decoder:
//   llama  RMSNorm, rotary positions, grouped queries, SwiGLU, no biases (Touvron et al. 2023; Su et al. 2021; Ainslie
//          et al. 2023; Shazeer 2020). Its parameters carry the names of GGUF's tensors: ExportGguf writes them as they
//          are.
//   gpt2   LayerNorm, learned positions, GELU, biases (Radford et al. 2019)
//
//   x = E[ids]                                       [batch, time, width]
//   x = x + Attention(Norm(x));  x = x + FeedForward(Norm(x))        `layers` times
//   logits = Norm(x) W^T,  W = E where the head is tied              [batch, time, vocabulary]
//
// Fresh parameters: normal(0, 0.02); those that write into the residual stream divided by sqrt(2 layers).
#pragma once

#include <memory>
#include <string>

#include "model/zoo.h"

namespace atelier::model {

struct GptConfig {
  bool llama = true;  // `form`: "llama" or "gpt2"
  int64_t vocabulary = 0;
  int64_t context = 256;  // the longest sequence
  int64_t layers = 6;
  int64_t width = 256;
  int64_t heads = 4;
  int64_t kv_heads = 0;  // 0: as many as heads
  int64_t hidden = 0;    // of the feed-forward; 0: 4 width for gpt2, 8/3 width rounded up to 64 for llama
  bool tied = true;      // the head is the embedding
  double dropout = 0;    // of embeddings, attention's and feed-forward's outputs
  double rope_base = 10000;
  double norm_eps = 1e-5;
};

GptConfig ReadGptConfig(Table& config, const DataShape& shape);

class Gpt : public LanguageModel {
 public:
  explicit Gpt(const GptConfig& config);

  Loss ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) override;
  bool SetCheckpointing(bool on) override {
    checkpointing_ = on;
    return true;
  }
  torch::Tensor NextLogits(const torch::Tensor& ids) override;
  int64_t context() const override { return config_.context; }
  const GptConfig& config() const { return config_; }

  torch::Tensor Hidden(const torch::Tensor& ids);           // [batch, time] -> [batch, time, width], normed
  torch::Tensor Logits(const torch::Tensor& hidden) const;  // [..., width] -> [..., vocabulary]

 private:
  struct Block;
  torch::Tensor FusedLoss(const Batch& batch, const LossOptions& options);  // in bf16 on the processor (fused/)
  GptConfig config_;
  torch::nn::Embedding token_embd_{nullptr}, position_embd_{nullptr};
  std::vector<std::shared_ptr<Block>> blocks_;
  std::shared_ptr<torch::nn::Module> output_norm_;
  torch::Tensor output_;           // [vocabulary, width]
  torch::Tensor cosines_, sines_;  // [context, head/2]
  bool checkpointing_ = false;
};

}  // namespace atelier::model
