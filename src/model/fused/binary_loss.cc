#include "model/fused/binary_loss.h"

#include <cmath>

#include "model/fused/step.h"

namespace atelier::model::fused {
namespace {

struct Kept : torch::CustomClassHolder {
  torch::Tensor logits;
  int64_t first = 0;
  double yes = 0;

  double target(int64_t i) const { return i < first ? yes : 0; }
  double share(int64_t i) const { return 1 / static_cast<double>(i < first ? first : logits.numel() - first); }
};

torch::Tensor Forward(Kept* k, const torch::Tensor& logits, bool) {
  k->logits = logits.contiguous();
  const float* x = k->logits.data_ptr<float>();
  double sum = 0;
  for (int64_t i = 0; i < k->logits.numel(); ++i) {
    const double softplus = std::max(x[i], 0.0f) + std::log1p(std::exp(-std::abs(x[i])));
    sum += k->share(i) * (softplus - k->target(i) * x[i]);
  }
  return torch::full({}, sum, torch::kFloat32);
}

torch::Tensor Backward(const Kept& k, const torch::Tensor& d_loss) {
  const double d = *d_loss.data_ptr<float>();
  const torch::Tensor d_logits = torch::empty_like(k.logits);
  const float* x = k.logits.data_ptr<float>();
  float* out = d_logits.data_ptr<float>();
  for (int64_t i = 0; i < k.logits.numel(); ++i) {
    out[i] = static_cast<float>(d * k.share(i) * (1 / (1 + std::exp(-static_cast<double>(x[i]))) - k.target(i)));
  }
  return d_logits;
}

}  // namespace

torch::Tensor BinaryLoss(const torch::Tensor& logits, int64_t first, double yes) {
  auto k = c10::make_intrusive<Kept>();
  k->first = first, k->yes = yes;
  return RunStep(logits, {}, k);
}

}  // namespace atelier::model::fused
