// An encoder that learns which of several texts people take: BERT whose weights stay, with adapters beside them
// (bert_adapted.h), under the linear form that rankers have (docs/formats/ranker.md).
//
//   e = the mean of a text's tokens, of length 1                                   [width]
//   s = 20 (u . e(x) + v . (e(c) * e(x)))      v with `product` alone; c: the context
//
// Unit vectors of texts of one kind lie close together, hence the 20: the inverse of a temperature of 0.05, as vectors
// are commonly learned with (Gao et al. 2021). u and v only lead the encoder: a ranker fits its own to the vectors.
//
// Batch (kChoices): inputs [rows, time], the options of all choices and then, with `product`, the context of each;
// targets [options] the choice of each, ascending from 0; marks [options] its share of what was taken, times the
// choice's weight. Losses (`loss`) of one choice whose marks m sum to w:
//   pairwise   w * mean over pairs with m_a > m_b of ln(1 + exp(s_b - s_a))        RankNet, Burges et al. 2005
//   listwise   - sum m ln softmax(s)                                               ListNet, Cao et al. 2007
#pragma once

#include <memory>

#include "artefact/adapter.h"
#include "model/bert.h"

namespace atelier::model {

struct BertRankerConfig {
  bool listwise = false, product = false;
};

class BertRanker : public Model, public OnBase {
 public:
  // REQUIRES: config.lora.
  BertRanker(const BertConfig& config, const BertRankerConfig& ranker);
  // A mean over choices. Details: pair_accuracy, the share of pairs in the right order, equal scores half; a mean over
  // choices.
  Loss ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) override;
  int64_t Count(const Batch& batch, size_t part) const override;
  torch::Tensor Scores(const Batch& batch);  // [options] f32
  const artefact::GgufFile* base() const override { return encoder_->base(); }
  artefact::Adapter ToAdapter() const;

 private:
  BertRankerConfig ranker_;
  std::shared_ptr<TextEncoder> encoder_;
  torch::Tensor text_, product_;  // u, v [width]
};

}  // namespace atelier::model
