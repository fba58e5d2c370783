// A recurrent network read in both directions (Hochreiter & Schmidhuber 1997; Schuster & Paliwal 1997; Cho et al.
// 2014), pooled over the real places: after Conneau et al. 2017, who found the maximum best.
//
//   h = RNN(dropout(E[ids]))                       [batch, time, 2 hidden]
//   x = max or mean of h over the text's tokens    [batch, 2 hidden]
//   logits = dropout(x) W^T + b                    [batch, classes]
//
// Parameters of the network have PyTorch's names and order of gates. Fresh ones: E normal(0, 0.1), the network uniform
// in +-1/sqrt(hidden), the LSTM's forget bias 1 (Jozefowicz et al. 2015).
#pragma once

#include <memory>

#include "model/classifier.h"
#include "model/recurrent.h"

namespace atelier::model {

struct RecurrentClassifierConfig {
  int64_t vocabulary = 0, classes = 0;
  bool gru = false;  // `cell`: "lstm" or "gru"
  int64_t width = 128, hidden = 128, layers = 1;
  bool both = true;      // `bidirectional`
  bool maximum = true;   // `pool`: "max" or "mean"
  double dropout = 0.3;  // of embeddings, between layers, of what is pooled
};

RecurrentClassifierConfig ReadRecurrentClassifierConfig(Table& config, const DataShape& shape);

class RecurrentClassifier : public Classifier {
 public:
  explicit RecurrentClassifier(const RecurrentClassifierConfig& config);
  torch::Tensor Logits(const Batch& batch) override;

 private:
  RecurrentClassifierConfig config_;
  torch::nn::Embedding embedding_{nullptr};
  std::shared_ptr<Recurrent> layers_;
  torch::nn::Linear output_{nullptr};
};

}  // namespace atelier::model
