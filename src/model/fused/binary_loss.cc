#include "model/fused/binary_loss.h"

#include <cmath>

namespace atelier::model::fused {

double BinaryLoss(const torch::Tensor& logits, int64_t first, double yes, const torch::Tensor& d_logits) {
  const torch::Tensor whole = logits.contiguous();
  const float* x = whole.data_ptr<float>();
  float* slope = d_logits.defined() ? d_logits.data_ptr<float>() : nullptr;
  const int64_t n = whole.numel();
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double target = i < first ? yes : 0, share = 1 / static_cast<double>(i < first ? first : n - first);
    const double e = std::exp(-std::abs(static_cast<double>(x[i])));
    sum += share * (std::max(x[i], 0.0f) + std::log1p(e) - target * x[i]);
    if (slope) slope[i] = static_cast<float>(share * ((x[i] > 0 ? 1 / (1 + e) : e / (1 + e)) - target));
  }
  return sum;
}

}  // namespace atelier::model::fused
