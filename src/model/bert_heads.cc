#include "model/bert_heads.h"

#include "base/str.h"
#include "model/fused/norm.h"
#include "model/fused/ops.h"

namespace atelier::model {
BertMasked::BertMasked(const BertConfig& config) {
  encoder_ = register_module("encoder", std::make_shared<BertEncoder>(config));
  dense_ = register_module("dense", std::make_shared<Linear>(config.width, config.width, true, kInitialDeviation));
  norm_ =
      register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({config.width}).eps(config.norm_eps)));
  bias_ = register_parameter("bias", torch::zeros({config.vocabulary}));
}

Loss BertMasked::ComputeLoss(const Batch& batch, size_t, const LossOptions& options) {
  const RaggedRows rows = encoder_->Lay(batch);
  const torch::Tensor targets = rows.Take(batch.targets);
  const torch::Tensor asked = targets.ne(kIgnored).nonzero().squeeze(1);
  const torch::Tensor x = encoder_->Encode(batch, rows).index_select(0, asked);
  torch::Tensor y = torch::gelu(dense_->forward(x));
  y = fused::Enabled() ? fused::Norm(y.to(torch::kFloat32), {norm_->weight, norm_->bias, false, norm_->options.eps()})
                       : norm_->forward(y);
  const torch::Tensor logits = torch::linear(y, encoder_->embedding(), bias_);
  const torch::Tensor words = targets.index_select(0, asked);
  Loss loss;
  loss.value = CrossEntropy(logits, words, options);
  loss.details["accuracy"] = asked.numel() == 0 ? 0.0
                                                : logits.detach().argmax(-1).eq(words).sum().item<double>() /
                                                      static_cast<double>(asked.numel());
  return loss;
}

BertClassifier::BertClassifier(const BertConfig& config, const BertHeadConfig& head) : head_(head) {
  encoder_ = register_module("encoder", MakeEncoder(config));
  if (!head_.mean) {
    dense_ = register_module("dense", std::make_shared<Linear>(config.width, config.width, true, kInitialDeviation));
  }
  output_ = register_module("output", std::make_shared<Linear>(config.width, head_.classes, true, kInitialDeviation));
}

torch::Tensor BertClassifier::Logits(const Batch& batch) {
  const RaggedRows rows = encoder_->Lay(batch);
  const torch::Tensor x = encoder_->Encode(batch, rows);
  const torch::Tensor pooled =
      head_.mean ? TextEncoder::Mean(x, rows)
                 : torch::tanh(dense_->forward(x.index_select(0, torch::tensor(rows.begins).to(x.device()))));
  return output_->forward(torch::dropout(pooled, encoder_->config().dropout, is_training()));
}

BertTagger::BertTagger(const BertConfig& config, const BertHeadConfig& head) {
  encoder_ = register_module("encoder", MakeEncoder(config));
  output_ = register_module("output", std::make_shared<Linear>(config.width, head.classes, true, kInitialDeviation));
}

torch::Tensor BertTagger::Logits(const Batch& batch) {
  const RaggedRows rows = encoder_->Lay(batch);
  const torch::Tensor x = torch::dropout(encoder_->Encode(batch, rows), encoder_->config().dropout, is_training());
  return rows.Spread(output_->forward(x));
}

std::shared_ptr<Model> MakeBertMasked(Table& config, const DataShape& shape) {
  if (config.Has("rank")) config.Refuse("rank", "an encoder that learns hidden words learns with all its weights");
  return std::make_shared<BertMasked>(ReadBertConfig(config, shape));
}

std::shared_ptr<Model> MakeBertClassifier(Table& config, const DataShape& shape) {
  BertHeadConfig head;
  head.classes = CountClasses(config, shape);
  const std::string pool = config.StringOr("pool", "cls");
  if (pool != "cls" && pool != "mean") config.Refuse("pool", Cat(Quote(pool), " is neither cls nor mean"));
  head.mean = pool == "mean";
  return std::make_shared<BertClassifier>(ReadBertConfig(config, shape), head);
}

std::shared_ptr<Model> MakeBertTagger(Table& config, const DataShape& shape) {
  BertHeadConfig head;
  head.classes = CountClasses(config, shape);
  return std::make_shared<BertTagger>(ReadBertConfig(config, shape), head);
}

}  // namespace atelier::model
