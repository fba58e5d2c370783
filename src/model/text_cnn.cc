#include "model/text_cnn.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/str.h"
#include "model/lengths.h"

namespace atelier::model {

TextCnnConfig ReadTextCnnConfig(Table& config, const DataShape& shape) {
  TextCnnConfig c;
  c.vocabulary = shape.vocabulary;
  c.classes = CountClasses(config, shape);
  c.width = config.IntOr("width", c.width, 1, 1 << 14);
  c.filters = config.IntOr("filters", c.filters, 1, 1 << 14);
  if (config.Has("widths")) {
    c.widths.clear();
    for (const double width : config.Doubles("widths")) {
      if (!(width >= 1 && width <= 64) || width != std::floor(width)) {
        config.Refuse("widths", Cat(width, " tokens wide: whole numbers from 1 to 64"));
      }
      c.widths.push_back(static_cast<int64_t>(width));
    }
    if (c.widths.empty()) config.Refuse("widths", "no width at all");
  }
  c.dropout = config.DoubleOr("dropout", c.dropout, 0, 0.99);
  return c;
}

TextCnn::TextCnn(const TextCnnConfig& config) : config_(config) {
  embedding_ = register_module("embedding", torch::nn::Embedding(config_.vocabulary, config_.width));
  torch::nn::init::uniform_(embedding_->weight, -0.25, 0.25);
  for (const int64_t width : config_.widths) {
    convolutions_.push_back(register_module(Cat("convolution", convolutions_.size()),
                                            torch::nn::Conv1d(config_.width, config_.filters, width)));
  }
  output_ = register_module(
      "output", torch::nn::Linear(static_cast<int64_t>(config_.widths.size()) * config_.filters, config_.classes));
}

torch::Tensor TextCnn::Logits(const Batch& batch) {
  const torch::Tensor lengths = RealLengths(batch);
  const int64_t widest = *std::max_element(config_.widths.begin(), config_.widths.end());
  const int64_t time = std::max(batch.inputs.size(1), widest);
  // [batch, width, time], zero behind each text
  torch::Tensor x = embedding_->forward(batch.inputs);
  x = x * RealPlaces(lengths, batch.inputs.size(1)).unsqueeze(2);
  x = torch::constant_pad_nd(x.transpose(1, 2), {0, time - batch.inputs.size(1)});
  std::vector<torch::Tensor> greatest;
  for (size_t i = 0; i < convolutions_.size(); ++i) {
    const int64_t places = time - config_.widths[i] + 1;
    const torch::Tensor real = RealPlaces((lengths - config_.widths[i] + 1).clamp_min(1), places);
    const torch::Tensor y = torch::relu(convolutions_[i]->forward(x));
    greatest.push_back(y.masked_fill(real.logical_not().unsqueeze(1), -std::numeric_limits<float>::infinity()).amax(2));
  }
  return output_->forward(torch::dropout(torch::cat(greatest, 1), config_.dropout, is_training()));
}

std::shared_ptr<Model> MakeTextCnn(Table& config, const DataShape& shape) {
  return std::make_shared<TextCnn>(ReadTextCnnConfig(config, shape));
}

}  // namespace atelier::model
