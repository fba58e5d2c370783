// What BERT is trained for (Devlin et al. 2019): hidden words, a text's class, every token's class.
//
//   masked  y = Norm(gelu(W x + b)),  logits = y E^T + c  at the places that are asked for alone     [asked,
//   vocabulary] class   p = tanh(W x_1 + b) of the first token, or the mean of all tokens (`pool`: "cls", "mean")
//           logits = dropout(p) U^T + d                                                              [batch, classes]
//   tags    logits = dropout(x) U^T + d                                                       [batch, time, classes]
//
// The encoder of the last two may be one whose weights stay, with adapters beside them (bert_adapted.h).
#pragma once

#include <memory>

#include "model/bert.h"
#include "model/classifier.h"

namespace atelier::model {

class BertMasked : public Model {
 public:
  explicit BertMasked(const BertConfig& config);
  Loss ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) override;
  BertEncoder& encoder() { return *encoder_; }

 private:
  std::shared_ptr<BertEncoder> encoder_;
  std::shared_ptr<Linear> dense_;
  torch::nn::LayerNorm norm_{nullptr};
  torch::Tensor bias_;  // [vocabulary]
};

struct BertHeadConfig {
  int64_t classes = 0;
  bool mean = false;  // pool
};

class BertClassifier : public Classifier, public OnBase {
 public:
  BertClassifier(const BertConfig& config, const BertHeadConfig& head);
  torch::Tensor Logits(const Batch& batch) override;
  const artefact::GgufFile* base() const override { return encoder_->base(); }

 private:
  BertHeadConfig head_;
  std::shared_ptr<TextEncoder> encoder_;
  std::shared_ptr<Linear> dense_, output_;  // dense_: with pool "cls" alone
};

class BertTagger : public Classifier, public OnBase {
 public:
  BertTagger(const BertConfig& config, const BertHeadConfig& head);
  torch::Tensor Logits(const Batch& batch) override;
  const artefact::GgufFile* base() const override { return encoder_->base(); }

 private:
  std::shared_ptr<TextEncoder> encoder_;
  std::shared_ptr<Linear> output_;
};

}  // namespace atelier::model
