#include "model/lora.h"

#include <algorithm>
#include <cmath>

#include "base/str.h"
#include "model/fused/frozen.h"

namespace atelier::model {

thread_local bool AdaptersOff::off_ = false;

bool LoraConfig::Has(const std::string& layer) const {
  return std::find(targets.begin(), targets.end(), layer) != targets.end();
}

LoraConfig ReadLora(Table& config, std::span<const LinearName> layers, const char* dropout) {
  LoraConfig lora;
  lora.rank = config.IntOr("rank", lora.rank, 1, 4096);
  lora.alpha = config.DoubleOr("alpha", 2.0 * static_cast<double>(lora.rank), 1e-6, 1e6);
  lora.dropout = config.DoubleOr(dropout, 0, 0, 0.99);
  std::vector<std::string> known;
  for (const LinearName& layer : layers) known.push_back(layer.gguf);
  const std::vector<std::string> asked = config.StringsOr("targets", known);
  lora.targets.clear();
  for (const std::string& target : asked) {
    bool found = false;
    for (const LinearName& layer : layers) {
      if (target != layer.gguf && target != layer.hf && !layer.hf.ends_with("." + target)) continue;
      found = true;
      if (!lora.Has(layer.gguf)) lora.targets.push_back(layer.gguf);
    }
    if (!found) {
      config.Refuse("targets", Cat("there is no linear layer ", Quote(target)), Cat("layers: ", Join(known, " ")));
    }
  }
  if (lora.targets.empty()) config.Refuse("targets", "names no layer", "left out, it is all of them");
  return lora;
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

artefact::Adapter AdapterOf(const torch::nn::Module& module, const artefact::GgufFile& base, double alpha) {
  artefact::Adapter adapter;
  adapter.architecture = std::string(base.String("general.architecture"));
  adapter.alpha = alpha;
  adapter.licence = std::string(base.StringOr("general.license", ""));
  const auto parameters = module.named_parameters();
  for (const auto& item : parameters) {
    const std::string& key = item.key();
    if (!key.ends_with(".lora_a")) continue;
    const std::string layer = key.substr(0, key.size() - 7);
    const torch::Tensor a = item.value().detach().contiguous(), b = parameters[layer + ".lora_b"].detach().contiguous();
    const auto floats = [](const torch::Tensor& t) {
      return std::vector<float>(t.data_ptr<float>(), t.data_ptr<float>() + t.numel());
    };
    adapter.pairs.push_back({layer + ".weight", a.size(0), a.size(1), b.size(0), floats(a), floats(b)});
  }
  return adapter;
}

}  // namespace atelier::model
