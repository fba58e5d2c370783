// Recurrent language model: "lstm" and "gru" (Mikolov et al. 2010; dropout as in Zaremba et al. 2014: on the
// embedding, between layers and before the head, never from one time to the next).
//
//   x = E[ids]                                   [batch, time, embedding]
//   h = LSTM(x) or GRU(x), `layers` of them      [batch, time, width]       recurrent.h
//   logits = h W^T + b                           [batch, time, vocabulary]; W = E where the head is tied
//
// Every row begins with a state of zeros. Fresh embeddings and heads: normal(0, 0.1).
#pragma once

#include <memory>

#include "model/layers.h"
#include "model/recurrent.h"
#include "model/zoo.h"

namespace atelier::model {

struct RecurrentLmConfig {
  bool gru = false;  // the architecture's name says which
  int64_t vocabulary = 0;
  int64_t embedding = 256;
  int64_t width = 512;  // of the layers
  int64_t layers = 2;
  double dropout = 0;
  bool tied = false;  // the head is the embedding: wants embedding = width
};

RecurrentLmConfig ReadRecurrentLmConfig(Table& config, const DataShape& shape, bool gru);

class RecurrentLm : public LanguageModel {
 public:
  explicit RecurrentLm(const RecurrentLmConfig& config);

  Loss ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) override;
  torch::Tensor NextLogits(const torch::Tensor& ids) override;
  int64_t context() const override { return 1 << 20; }  // no bound of its own
  const RecurrentLmConfig& config() const { return config_; }

 private:
  torch::Tensor Hidden(const torch::Tensor& ids);  // [batch, time] -> [batch, time, width]
  torch::Tensor FusedLoss(const Batch& batch, const LossOptions& options);

  RecurrentLmConfig config_;
  torch::nn::Embedding token_embd_{nullptr};
  std::shared_ptr<Recurrent> layers_;
  std::shared_ptr<Head> output_;
};

}  // namespace atelier::model
