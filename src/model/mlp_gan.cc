#include "model/mlp_gan.h"

#include <algorithm>

#include "base/error.h"
#include "model/fused/binary_loss.h"
#include "model/fused/ops.h"

namespace atelier::model {
namespace {

using torch::nn::Linear;

using kernel::Activation;

// The share of logits [begin, end) that say yes.
double ShareAbove(const torch::Tensor& logits, int64_t begin, int64_t end) {
  const float* x = logits.data_ptr<float>();
  return static_cast<double>(std::count_if(x + begin, x + end, [](float v) { return v > 0; })) /
         static_cast<double>(end - begin);
}

// fused/binary_loss.h says what of which.
torch::Tensor BinaryLoss(const torch::Tensor& logits, int64_t first, double yes) {
  if (fused::Enabled()) return fused::BinaryLoss(logits, first, yes);
  const auto mean = [](const torch::Tensor& part, double target) {
    return torch::binary_cross_entropy_with_logits(part, torch::full_like(part, target));
  };
  const int64_t n = logits.size(0);
  const torch::Tensor real = mean(logits.narrow(0, 0, first), yes);
  return first == n ? real : real + mean(logits.narrow(0, first, n - first), 0);
}

std::vector<fused::MlpLayer> LayersOf(const torch::nn::Sequential& part, Activation act, Activation last,
                                      double dropout) {
  std::vector<fused::MlpLayer> layers;
  for (const auto& module : part->children()) {
    if (const auto* linear = module->as<Linear>()) layers.push_back({linear->weight, linear->bias, act, dropout});
  }
  layers.back().act = last, layers.back().dropout = 0;
  return layers;
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

std::vector<fused::MlpLayer> MlpGan::JudgingLayers() const {
  return LayersOf(discriminator_, Activation::kLeakyRelu, Activation::kNone, is_training() ? config_.dropout : 0);
}

std::vector<fused::MlpLayer> MlpGan::MakingLayers() const {
  return LayersOf(generator_, Activation::kRelu, Activation::kTanh, 0);
}

torch::Tensor MlpGan::JudgeBoth(const torch::Tensor& pictures, const torch::Tensor& z) {
  const torch::Tensor truth = pictures.flatten(1).contiguous();
  if (!fused::Enabled()) {
    const torch::Tensor made = [&] {
      const torch::NoGradGuard no_gradient;
      return generator_->forward(z).to(torch::kFloat32);
    }();
    return discriminator_->forward(torch::cat({truth * 2 - 1, made})).to(torch::kFloat32);
  }
  const int64_t n = truth.size(0), pixels = truth.size(1);
  const torch::Tensor rows = torch::empty({2 * n, pixels}, torch::kBFloat16);
  fused::InParallel(n, [&](int64_t begin, int64_t end) {
    std::vector<float> row(static_cast<size_t>(pixels));
    for (int64_t i = begin; i < end; ++i) {
      const float* x = truth.data_ptr<float>() + i * pixels;
      std::transform(x, x + pixels, row.begin(), [](float v) { return 2 * v - 1; });
      fused::Kernels().narrow(row.data(), pixels, fused::Brains(rows) + i * pixels);
    }
  });
  fused::MlpInto(z, MakingLayers(), rows.narrow(0, n, n));
  return fused::Mlp(rows, JudgingLayers());
}

torch::Tensor MlpGan::JudgeMade(const torch::Tensor& z) {
  if (!fused::Enabled()) {
    return discriminator_->forward(generator_->forward(z).to(torch::kFloat32)).to(torch::kFloat32);
  }
  std::vector<fused::MlpLayer> layers = MakingLayers();
  for (fused::MlpLayer& layer : JudgingLayers()) layers.push_back(std::move(layer));
  return fused::Mlp(z, std::move(layers));
}

Loss MlpGan::ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) {
  const int64_t n = batch.rows();
  const torch::Tensor z = torch::randn({n, config_.latent}, batch.inputs.options());
  Loss loss;
  if (part == 1) {
    loss.value = BinaryLoss(JudgeMade(z), n, 1);
    return loss;
  }
  const torch::Tensor logits = JudgeBoth(batch.inputs, z);
  loss.value = BinaryLoss(logits, n, 1 - options.label_smoothing);
  loss.details["real_believed"] = ShareAbove(logits, 0, n);
  loss.details["made_believed"] = ShareAbove(logits, n, 2 * n);
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
