#include "model/classifier.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::model {

Loss Classifier::ComputeLoss(const Batch& batch, size_t, const LossOptions& options) {
  const torch::Tensor logits = Logits(batch);
  const torch::Tensor targets = batch.targets.flatten();
  Loss loss;
  loss.value = CrossEntropy(logits.flatten(0, -2), targets, options);
  loss.predicted = logits.detach().argmax(-1);
  loss.classes = logits.size(-1);
  const torch::Tensor asked = targets.ne(kIgnored);
  const torch::Tensor right = loss.predicted.flatten().eq(targets).logical_and(asked);
  loss.details["accuracy"] =
      right.sum().item<double>() / std::max<double>(1, static_cast<double>(asked.sum().item<int64_t>()));
  return loss;
}

int64_t CountClasses(const Table& config, const DataShape& shape) {
  if (shape.classes.size() < 2) {
    config.Refuse("architecture", Cat("a classifier wants two classes or more, the data has ", shape.classes.size()),
                  "data.label names the field that holds them");
  }
  return static_cast<int64_t>(shape.classes.size());
}

}  // namespace atelier::model
