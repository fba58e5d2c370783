// What is common to models that name classes: the loss, and what they predict.
#pragma once

#include "base/config.h"
#include "model/model.h"
#include "model/zoo.h"

namespace atelier::model {

class Classifier : public Model {
 public:
  // Of each class, before the softmax: [batch, classes], or [batch, time, classes] where every token has a class.
  virtual torch::Tensor Logits(const Batch& batch) = 0;
  // The cross-entropy of the targets that are not kIgnored; details: accuracy.
  Loss ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) override;
};

// The number of classes; refuses fewer than two.
int64_t CountClasses(const Table& config, const DataShape& shape);

}  // namespace atelier::model
