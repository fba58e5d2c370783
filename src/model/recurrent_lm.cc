#include "model/recurrent_lm.h"

#include "base/str.h"
#include "model/fused/head.h"
#include "model/fused/ops.h"

namespace atelier::model {
RecurrentLmConfig ReadRecurrentLmConfig(Table& config, const DataShape& shape, bool gru) {
  RecurrentLmConfig c;
  c.gru = gru;
  c.vocabulary = shape.vocabulary;
  c.embedding = config.IntOr("embedding", c.embedding, 1, 1 << 16);
  c.width = config.IntOr("width", c.width, 1, 1 << 16);
  c.layers = config.IntOr("layers", c.layers, 1, 100);
  c.dropout = config.DoubleOr("dropout", c.dropout, 0, 0.99);
  c.tied = config.BoolOr("tied", c.tied);
  if (c.tied && c.embedding != c.width) {
    config.Refuse("tied", Cat("a tied head wants embedding = width, not ", c.embedding, " and ", c.width));
  }
  return c;
}

RecurrentLm::RecurrentLm(const RecurrentLmConfig& config) : config_(config) {
  const RecurrentLmConfig& c = config_;
  token_embd_ = register_module("token_embd", torch::nn::Embedding(c.vocabulary, c.embedding));
  torch::nn::init::normal_(token_embd_->weight, 0, kRecurrentDeviation);
  layers_ = register_module(c.gru ? "gru" : "lstm", std::make_shared<Recurrent>(RecurrentConfig{
                                                        c.gru, c.embedding, c.width, c.layers, c.dropout, false}));
  output_ = register_module("output", std::make_shared<Head>(c.width, c.vocabulary, kRecurrentDeviation,
                                                             c.tied ? token_embd_->weight : torch::Tensor()));
}

torch::Tensor RecurrentLm::Hidden(const torch::Tensor& ids) {
  const torch::Tensor x = torch::dropout(token_embd_->forward(ids), config_.dropout, is_training());
  return torch::dropout(layers_->forward(x).all, config_.dropout, is_training());
}

torch::Tensor RecurrentLm::FusedLoss(const Batch& batch, const LossOptions& options) {
  const torch::Tensor ids = batch.inputs.t().contiguous();  // time by time
  const std::vector<int64_t> sizes(static_cast<size_t>(ids.size(0)), ids.size(1));
  const auto drop = [&](const torch::Tensor& x) { return torch::dropout(x, config_.dropout, is_training()); };
  const torch::Tensor x = drop(fused::Embed(token_embd_->weight, {}, ids));
  return fused::HeadLoss(drop(layers_->ForwardRows(x, sizes).all), {}, output_->weight, output_->bias,
                         batch.targets.t().flatten(), options.label_smoothing);
}

Loss RecurrentLm::ComputeLoss(const Batch& batch, size_t, const LossOptions& options) {
  if (fused::Enabled() && !config_.gru) return {FusedLoss(batch, options), {}};
  const torch::Tensor logits = output_->forward(Hidden(batch.inputs));
  return {CrossEntropy(logits.flatten(0, 1), batch.targets.flatten(), options), {}};
}

torch::Tensor RecurrentLm::NextLogits(const torch::Tensor& ids) {
  const torch::NoGradGuard no_gradient;
  return output_->forward(Hidden(ids).select(1, -1)).to(torch::kFloat32);
}

std::shared_ptr<Model> MakeLstmLm(Table& config, const DataShape& shape) {
  return std::make_shared<RecurrentLm>(ReadRecurrentLmConfig(config, shape, false));
}

std::shared_ptr<Model> MakeGruLm(Table& config, const DataShape& shape) {
  return std::make_shared<RecurrentLm>(ReadRecurrentLmConfig(config, shape, true));
}

}  // namespace atelier::model
