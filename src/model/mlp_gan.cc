#include "model/mlp_gan.h"

#include "base/error.h"
#include "model/fused/mlp.h"
#include "model/fused/ops.h"

namespace atelier::model {
namespace {

using torch::nn::Linear;

// -log sigmoid(logits) where `target` is 1; the cross-entropy of two classes.
torch::Tensor Against(const torch::Tensor& logits, double target) {
  return torch::binary_cross_entropy_with_logits(logits, torch::full_like(logits, target));
}

double ShareAbove(const torch::Tensor& logits) {
  return logits.detach().gt(0).to(torch::kFloat64).mean().item<double>();
}

std::vector<fused::MlpLayer> LinearsOf(const torch::nn::Sequential& layers) {
  std::vector<fused::MlpLayer> list;
  for (const auto& module : layers->children()) {
    if (const auto* linear = module->as<torch::nn::Linear>()) list.push_back({linear->weight, linear->bias});
  }
  return list;
}

}  // namespace

MlpGan::MlpGan(const MlpGanConfig& config) : config_(config) {
  const int64_t pixels = config_.height * config_.width, hidden = config_.hidden;
  const auto leaky = [] { return torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.2)); };
  const auto drop = [&] { return torch::nn::Dropout(config_.dropout); };
  discriminator_ = register_module(
      "discriminator", torch::nn::Sequential(Linear(pixels, hidden), leaky(), drop(), Linear(hidden, hidden), leaky(),
                                             drop(), Linear(hidden, 1)));
  generator_ = register_module(
      "generator", torch::nn::Sequential(Linear(config_.latent, hidden), torch::nn::ReLU(), Linear(hidden, hidden),
                                         torch::nn::ReLU(), Linear(hidden, pixels), torch::nn::Tanh()));
}

std::vector<Part> MlpGan::Parts() const {
  return {{"discriminator", {"discriminator."}}, {"generator", {"generator."}}};
}

torch::Tensor MlpGan::Judge(const torch::Tensor& x) {
  const double dropout = is_training() ? config_.dropout : 0;
  const torch::Tensor logits = fused::Enabled()
                                   ? fused::Mlp(x, LinearsOf(discriminator_), kernel::Activation::kLeakyRelu, dropout)
                                   : discriminator_->forward(x);
  return logits.squeeze(1).to(torch::kFloat32);
}

torch::Tensor MlpGan::Make(const torch::Tensor& z) {
  if (!fused::Enabled()) return generator_->forward(z).to(torch::kFloat32);
  return fused::Mlp(z, LinearsOf(generator_), kernel::Activation::kRelu).tanh();
}

Loss MlpGan::ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) {
  const torch::Tensor z = torch::randn({batch.rows(), config_.latent}, batch.inputs.options());
  Loss loss;
  if (part == 1) {
    loss.value = Against(Judge(Make(z)), 1);
    return loss;
  }
  const torch::Tensor made = [&] {
    const torch::NoGradGuard no_gradient;
    return Make(z);
  }();
  const torch::Tensor truth = batch.inputs.flatten(1) * 2 - 1;
  const std::vector<torch::Tensor> logits = Judge(torch::cat({truth, made})).chunk(2);
  loss.value = Against(logits[0], 1 - options.label_smoothing) + Against(logits[1], 0);
  loss.details["real_believed"] = ShareAbove(logits[0]);
  loss.details["made_believed"] = ShareAbove(logits[1]);
  return loss;
}

torch::Tensor MlpGan::Generate(const torch::Tensor& z) {
  const torch::NoGradGuard no_gradient;
  const torch::Tensor x = Make(z);
  return ((x + 1) / 2).clamp(0, 1).view({z.size(0), config_.height, config_.width});
}

std::shared_ptr<Model> MakeMlpGan(Table& config, const DataShape& shape) {
  MlpGanConfig c;
  c.height = shape.height;
  c.width = shape.width;
  c.latent = config.IntOr("latent", c.latent, 1, 1 << 16);
  c.hidden = config.IntOr("hidden", c.hidden, 1, 1 << 16);
  c.dropout = config.DoubleOr("dropout", c.dropout, 0, 0.99);
  return std::make_shared<MlpGan>(c);
}

}  // namespace atelier::model
