// Convolutions over words (Kim 2014, "Convolutional Neural Networks for Sentence Classification").
//
//   e = E[ids]                                                                  [batch, time, width]
//   c_w = relu(convolution of `w` neighbouring tokens)                          [batch, filters, time - w + 1]
//   x = the greatest of each filter over the places whose w tokens are real     [batch, widths * filters]
//   logits = dropout(x) W^T + b                                                 [batch, classes]
//
// A text shorter than w counts as followed by zeros, and has one place. E begins uniform in +-0.25.
#pragma once

#include <vector>

#include "model/classifier.h"

namespace atelier::model {

struct TextCnnConfig {
  int64_t vocabulary = 0, classes = 0;
  int64_t width = 128;
  int64_t filters = 100;  // of each width
  std::vector<int64_t> widths = {3, 4, 5};
  double dropout = 0.5;
};

TextCnnConfig ReadTextCnnConfig(Table& config, const DataShape& shape);

class TextCnn : public Classifier {
 public:
  explicit TextCnn(const TextCnnConfig& config);
  torch::Tensor Logits(const Batch& batch) override;

 private:
  TextCnnConfig config_;
  torch::nn::Embedding embedding_{nullptr};
  std::vector<torch::nn::Conv1d> convolutions_;
  torch::nn::Linear output_{nullptr};
};

}  // namespace atelier::model
