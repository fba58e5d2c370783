#include "model/lora.h"

#include <algorithm>
#include <cmath>

#include "model/fused/frozen.h"

namespace atelier::model {

thread_local bool AdaptersOff::off_ = false;

bool LoraConfig::Has(const std::string& layer) const {
  return std::find(targets.begin(), targets.end(), layer) != targets.end();
}

LoraLinear::LoraLinear(FrozenMatrix frozen, torch::Tensor frozen_bias, const LoraConfig* lora)
    : weight(std::move(frozen)), bias(std::move(frozen_bias)) {
  if (lora == nullptr) return;
  scale_ = lora->scale(), dropout_ = lora->dropout;
  const double bound = 1 / std::sqrt(static_cast<double>(weight.ins()));
  lora_a = register_parameter("lora_a", torch::empty({lora->rank, weight.ins()}).uniform_(-bound, bound));
  lora_b = register_parameter("lora_b", torch::zeros({weight.outs(), lora->rank}));
}

torch::Tensor LoraLinear::Fused(const torch::Tensor& rows) const {
  fused::LowRankWeights low;
  if (!AdaptersOff::Holds()) low = {lora_a, lora_b, scale_};
  return fused::AdaptedLinear(rows, weight, bias, low);
}

torch::Tensor LoraLinear::forward(const torch::Tensor& x) const {
  torch::Tensor y = FrozenLinear(x, weight);
  if (bias.defined()) y = y + bias;
  if (!lora_a.defined() || AdaptersOff::Holds()) return y;
  const torch::Tensor low = torch::linear(torch::dropout(x, dropout_, is_training()), lora_a);
  return y + scale_ * torch::linear(low, lora_b);
}

}  // namespace atelier::model
