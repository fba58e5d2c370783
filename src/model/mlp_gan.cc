#include "model/mlp_gan.h"

#include "base/error.h"

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
  return discriminator_->forward(x).squeeze(1).to(torch::kFloat32);
}

Loss MlpGan::ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) {
  const torch::Tensor z = torch::randn({batch.rows(), config_.latent}, batch.inputs.options());
  const torch::Tensor made = generator_->forward(z);
  Loss loss;
  if (part == 1) {
    loss.value = Against(Judge(made), 1);
    return loss;
  }
  const torch::Tensor real = Judge(batch.inputs.flatten(1) * 2 - 1), false_ones = Judge(made.detach());
  loss.value = Against(real, 1 - options.label_smoothing) + Against(false_ones, 0);
  loss.details["real_believed"] = ShareAbove(real);
  loss.details["made_believed"] = ShareAbove(false_ones);
  return loss;
}

torch::Tensor MlpGan::Generate(const torch::Tensor& z) {
  const torch::NoGradGuard no_gradient;
  const torch::Tensor x = generator_->forward(z).to(torch::kFloat32);
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
