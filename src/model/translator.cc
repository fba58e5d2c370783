#include "model/translator.h"

namespace atelier::model {

Loss Translator::ComputeLoss(const Batch& batch, size_t, const LossOptions& options) {
  return {CrossEntropy(Logits(batch).flatten(0, 1), batch.targets.flatten(), options), {}};
}

torch::Tensor Behind(const torch::Tensor& lengths, int64_t time) {
  return torch::arange(time, lengths.options()).unsqueeze(0) >= lengths.unsqueeze(1);
}

}  // namespace atelier::model
