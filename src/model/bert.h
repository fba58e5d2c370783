// Transformer encoder (Devlin et al. 2019).
//
//   x = Norm(E[ids] + P[position] + T[0])                          [rows, width]
//   x = Norm(x + Attention(x));  x = Norm(x + W2 gelu(W1 x))       `layers` times; norms stand after the branches
//   Attention: softmax(q k^T / sqrt(head)) v over the tokens of the same text
//
// GELU by erf, LayerNorm with biases, learned positions, all tokens of the first type (two are kept, as files have
// them). Fresh parameters: normal(0, 0.02), biases 0. Names are GGUF's, so that an encoder's file is read as it is.
//
// Texts of a batch differ in length: rows are the real tokens of all texts laid end to end, and only attention knows
// where one ends; `padding = "masked"` computes the padding, too, and hides it from attention. Both give the same. In
// bf16 on the processor rows without padding take the fused form (fused/block.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/base_file.h"
#include "model/layers.h"
#include "model/lengths.h"
#include "model/lora.h"
#include "model/zoo.h"

namespace atelier::model {

struct BertConfig {
  int64_t vocabulary = 0;
  int64_t context = 512;  // the longest text, with its marks
  int64_t layers = 4, width = 256, heads = 4;
  int64_t hidden = 0;    // of the feed-forward; 0: 4 width
  double dropout = 0.1;  // of embeddings, attention's weights, both branches
  double norm_eps = 1e-12;
  bool padded = false;  // `padding`: "removed" or "masked"
  int64_t frozen = -1;  // `freeze`: -1 nothing; n: the embeddings and the first n layers stay as they are
  std::string start;    // a GGUF file whose weights the encoder begins with
  // Where there is one: the weights stay in `start` as they are, and adapters beside them learn (bert_adapted.h).
  std::optional<LoraConfig> lora = {};
};

// The linear layers of a block.
inline const std::vector<LinearName> kBertLayers = {
    {"attn_q", "attention.self.query"},        {"attn_k", "attention.self.key"}, {"attn_v", "attention.self.value"},
    {"attn_output", "attention.output.dense"}, {"ffn_up", "intermediate.dense"}, {"ffn_down", "output.dense"}};

// Where the data names a model to start from, the encoder's shape is that model's, and saying another is an error.
BertConfig ReadBertConfig(Table& config, const DataShape& shape);

// An encoder as its heads see it, whichever of its weights learn.
class TextEncoder : public torch::nn::Module, public OnBase {
 public:
  explicit TextEncoder(const BertConfig& config) : config_(config) {}
  // Inputs [batch, time] -> [rows, width], as `rows` lays them.
  virtual torch::Tensor Encode(const Batch& batch, const RaggedRows& rows) = 0;
  RaggedRows Lay(const Batch& batch) const { return LayRows(batch, config_.padded); }
  // The mean over each text's tokens: [rows, width] -> [batch, width].
  static torch::Tensor Mean(const torch::Tensor& x, const RaggedRows& rows);

  const BertConfig& config() const { return config_; }
  const artefact::GgufFile* base() const override { return nullptr; }

 protected:
  BertConfig config_;
};

// The one that `config` asks for.
std::shared_ptr<TextEncoder> MakeEncoder(const BertConfig& config);

// softmax(q k^T / sqrt(head)) v over each text: [rows, width] each, heads side by side in a row. `dropout` of the
// weights.
torch::Tensor AttendTexts(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                          const RaggedRows& rows, int64_t heads, double dropout);

class BertEncoder : public TextEncoder {
 public:
  explicit BertEncoder(const BertConfig& config);
  torch::Tensor Encode(const Batch& batch, const RaggedRows& rows) override;
  const torch::Tensor& embedding() const { return token_embd_->weight; }  // [vocabulary, width]

 private:
  struct Layer;
  torch::Tensor FusedEncode(const torch::Tensor& ids, const torch::Tensor& positions, const RaggedRows& rows);
  torch::nn::Embedding token_embd_{nullptr}, position_embd_{nullptr}, token_types_{nullptr};
  torch::nn::LayerNorm token_embd_norm_{nullptr};
  std::vector<std::shared_ptr<Layer>> layers_;
};

}  // namespace atelier::model
