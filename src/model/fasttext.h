// fastText's linear classifier (Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification"): what the
// simplest thing does.
//
//   x = mean over the text's features of E[feature]                 [batch, width]
//   logits = x W^T + b                                              [batch, classes]
//
// Features are the tokens and all runs of 2 to `ngrams` of them. A run's row of E is vocabulary + h mod buckets, with
//   h = t_1 + 1;  h = (1000003 h + t_k + 1) mod (2^31 - 1)          for each further token
// Where the vocabulary is beyond 2^18 (units = "characters": code points), single tokens are hashed, too. As in
// fastText, E begins uniform in +-1/width and W with zeros. What differs: no hierarchical softmax, biases, any
// optimiser.
#pragma once

#include "model/classifier.h"

namespace atelier::model {

struct FastTextConfig {
  int64_t vocabulary = 0, classes = 0;
  int64_t width = 64;
  int64_t ngrams = 2;         // 1: tokens alone
  int64_t buckets = 1 << 17;  // rows for all hashed features
  double dropout = 0;         // of the mean
  static constexpr int64_t kMostOwnRows = 1 << 18;
  bool hashes_tokens() const { return vocabulary > kMostOwnRows; }
};

FastTextConfig ReadFastTextConfig(Table& config, const DataShape& shape);

class FastText : public Classifier {
 public:
  explicit FastText(const FastTextConfig& config);
  torch::Tensor Logits(const Batch& batch) override;

  // Rows of E of all features, text by text, and where each text's begin: [features], [batch].
  std::pair<torch::Tensor, torch::Tensor> Features(const Batch& batch) const;

 private:
  FastTextConfig config_;
  torch::nn::Embedding embedding_{nullptr};
  torch::nn::Linear output_{nullptr};
};

}  // namespace atelier::model
