#include "model/recurrent_classifier.h"

#include <limits>

#include "base/str.h"
#include "model/lengths.h"

namespace atelier::model {
namespace {

bool OneOfTwo(Table& config, std::string_view key, std::string_view first, std::string_view second) {
  const std::string value = config.StringOr(key, std::string(first));
  if (value != first && value != second) config.Refuse(key, Cat(Quote(value), " is neither ", first, " nor ", second));
  return value == first;
}

}  // namespace

RecurrentClassifierConfig ReadRecurrentClassifierConfig(Table& config, const DataShape& shape) {
  RecurrentClassifierConfig c;
  c.vocabulary = shape.vocabulary;
  c.classes = CountClasses(config, shape);
  c.gru = !OneOfTwo(config, "cell", "lstm", "gru");
  c.width = config.IntOr("width", c.width, 1, 1 << 14);
  c.hidden = config.IntOr("hidden", c.hidden, 1, 1 << 14);
  c.layers = config.IntOr("layers", c.layers, 1, 64);
  c.both = config.BoolOr("bidirectional", c.both);
  c.maximum = OneOfTwo(config, "pool", "max", "mean");
  c.dropout = config.DoubleOr("dropout", c.dropout, 0, 0.99);
  return c;
}

RecurrentClassifier::RecurrentClassifier(const RecurrentClassifierConfig& config) : config_(config) {
  const RecurrentClassifierConfig& c = config_;
  embedding_ = register_module("embedding", torch::nn::Embedding(c.vocabulary, c.width));
  torch::nn::init::normal_(embedding_->weight, 0, 0.1);
  const double between = c.layers > 1 ? c.dropout : 0;
  layers_ = register_module(c.gru ? "gru" : "lstm", std::make_shared<Recurrent>(RecurrentConfig{
                                                        c.gru, c.width, c.hidden, c.layers, between, c.both}));
  if (!c.gru) {
    const torch::NoGradGuard no_gradient;
    for (const auto& item : layers_->named_parameters()) {  // gates: input, forget, cell, output
      torch::Tensor bias = item.value();
      if (item.key().rfind("bias_ih", 0) == 0) bias.narrow(0, c.hidden, c.hidden).fill_(1);
    }
  }
  output_ = register_module("output", torch::nn::Linear(c.hidden * (c.both ? 2 : 1), c.classes));
}

torch::Tensor RecurrentClassifier::Logits(const Batch& batch) {
  const torch::Tensor lengths = RealLengths(batch);
  const int64_t time = batch.inputs.size(1);
  const torch::Tensor x = torch::dropout(embedding_->forward(batch.inputs), config_.dropout, is_training());
  const torch::Tensor states = layers_->forward(x, lengths).all;
  const torch::Tensor real = RealPlaces(lengths, time).unsqueeze(2);
  const torch::Tensor pooled =
      config_.maximum ? states.masked_fill(real.logical_not(), -std::numeric_limits<float>::infinity()).amax(1)
                      : (states * real).sum(1) / lengths.unsqueeze(1);
  return output_->forward(torch::dropout(pooled, config_.dropout, is_training()));
}

std::shared_ptr<Model> MakeRecurrentClassifier(Table& config, const DataShape& shape) {
  return std::make_shared<RecurrentClassifier>(ReadRecurrentClassifierConfig(config, shape));
}

}  // namespace atelier::model
