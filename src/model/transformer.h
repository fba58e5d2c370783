// Transformer encoder and decoder: "transformer" (Vaswani et al. 2017).
//
//   memory = Encoder(E_s[source] sqrt(width) + P)           [batch, source time, width]
//   y      = Decoder(E_t[inputs] sqrt(width) + P, memory)   [batch, time, width]
//   logits = y W^T + b                                      W = E_t where the head is tied
//
//   Encoder layer: x = Sub(x, Attention(x, x)); x = Sub(x, W2 relu(W1 x + b1) + b2)
//   Decoder layer: x = Sub(x, Attention(x, x before)); x = Sub(x, Attention(x, memory)); x = Sub(x, W2 relu(W1 x + ...
//   Sub: "post" Norm(x + f(x)), as in the paper; "pre" x + f(Norm(x)), with a Norm behind the last layer of both (Xiong
//        et al. 2020), which trains without a long warm-up
//   P: "sinusoidal" P[t, 2i] = sin(t / 10000^(2i/width)), P[t, 2i+1] = cos(same); or "learned", `context` of them
//
// Dropout as in the paper: of E + P and of every f. Products have biases, as in PyTorch's nn.Transformer. Source tokens
// behind a row's end get no attention. Fresh parameters: embeddings normal(0, 1/sqrt(width)), products Glorot's normal.
#pragma once

#include <memory>

#include "model/layers.h"
#include "model/translator.h"
#include "model/zoo.h"

namespace atelier::model {

struct TransformerConfig {
  int64_t source_vocabulary = 0, vocabulary = 0;
  int64_t encoder_layers = 2, decoder_layers = 2;  // `layers`: of both
  int64_t width = 256;
  int64_t heads = 4;
  int64_t hidden = 0;     // of the feed-forward; 0: 4 width
  bool pre_norm = true;   // `norm`: "pre" or "post"
  bool learned = false;   // `positions`: "sinusoidal" or "learned"
  int64_t context = 256;  // learned positions: the longest source and target
  bool tied = true;       // the head is the target's embedding
  double dropout = 0.1;
};

TransformerConfig ReadTransformerConfig(Table& config, const DataShape& shape);

class Transformer : public Translator {
 public:
  explicit Transformer(const TransformerConfig& config);

  torch::Tensor Logits(const Batch& batch) override;
  DecoderState Encode(const torch::Tensor& source, const torch::Tensor& lengths) override;
  DecoderStep Step(const torch::Tensor& previous, DecoderState* state) override;
  int64_t context() const override { return config_.learned ? config_.context : 1 << 20; }
  const TransformerConfig& config() const { return config_; }

 private:
  struct Attention;
  struct Block;
  // Embeddings with positions from `begin` on. [rows, time] -> [rows, time, width]
  torch::Tensor Embed(const torch::nn::Embedding& embedding, const torch::nn::Embedding& positions,
                      const torch::Tensor& ids, int64_t begin);
  torch::Tensor Decode(torch::Tensor x, DecoderState* state, torch::Tensor* attention);

  TransformerConfig config_;
  torch::nn::Embedding source_embd_{nullptr}, token_embd_{nullptr};
  torch::nn::Embedding source_position_{nullptr}, token_position_{nullptr};  // learned positions
  std::vector<std::shared_ptr<Block>> encoder_, decoder_;
  torch::nn::LayerNorm encoder_norm_{nullptr}, decoder_norm_{nullptr};  // pre
  std::shared_ptr<Head> output_;
};

}  // namespace atelier::model
