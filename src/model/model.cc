#include "model/model.h"

namespace atelier::model {

int64_t Model::Count(const Batch& batch, size_t) const {
  if (!batch.targets.defined()) return batch.rows();
  return batch.targets.ne(kIgnored).sum().item<int64_t>();
}

torch::Tensor CrossEntropy(const torch::Tensor& logits, const torch::Tensor& targets, const LossOptions& options) {
  namespace F = torch::nn::functional;
  const torch::Tensor sum = F::cross_entropy(logits.to(torch::kFloat32), targets,
                                             F::CrossEntropyFuncOptions()
                                                 .ignore_index(kIgnored)
                                                 .reduction(torch::kSum)
                                                 .label_smoothing(options.label_smoothing));
  return sum / targets.ne(kIgnored).sum().clamp_min(1);
}

}  // namespace atelier::model
