#include "model/mlp_gan.h"

#include <algorithm>

#include "base/error.h"
#include "model/fused/binary_loss.h"
#include "model/fused/ops.h"

namespace atelier::model {
namespace {

using kernel::Activation;

// The share of logits [begin, end) that say yes.
double ShareAbove(const torch::Tensor& logits, int64_t begin, int64_t end) {
  const float* x = logits.data_ptr<float>();
  return static_cast<double>(std::count_if(x + begin, x + end, [](float v) { return v > 0; })) /
         static_cast<double>(end - begin);
}

// fused/binary_loss.h says what of which.
Loss BinaryLoss(const fused::MlpRun& judged, int64_t first, double yes) {
  Loss loss;
  const int64_t n = judged.out.size(0);
  if (fused::Enabled()) {
    const torch::Tensor slope = judged.backward ? fused::NewFloats(n, 1) : torch::Tensor();
    loss.value = torch::full({}, fused::BinaryLoss(judged.out, first, yes, slope), torch::kFloat32);
    if (judged.backward) {
      loss.way_back = [judged, slope](double share) { judged.backward(share == 1 ? slope : slope * share); };
    }
    return loss;
  }
  const auto mean = [](const torch::Tensor& part, double target) {
    return torch::binary_cross_entropy_with_logits(part, torch::full_like(part, target));
  };
  loss.value = mean(judged.out.narrow(0, 0, first), yes);
  if (first < n) loss.value = loss.value + mean(judged.out.narrow(0, first, n - first), 0);
  return loss;
}

std::vector<fused::MlpLayer> LayersOf(const torch::nn::Sequential& part, Activation act, Activation last,
                                      double dropout) {
  std::vector<fused::MlpLayer> layers;
  for (const auto& module : part->children()) {
    if (const auto* linear = module->as<torch::nn::Linear>())
      layers.push_back({linear->weight, linear->bias, act, dropout});
  }
  layers.back().act = last, layers.back().dropout = 0;
  return layers;
}

// What fills bf16 rows beside other work: z; pictures in [0, 1] as 2 x - 1, one by one.
fused::Work NormalWork(const torch::Tensor& z) {
  constexpr double kCost = 600;  // of a number, drawn
  return {1, kCost * static_cast<double>(z.numel()), [z](int64_t, int64_t) {
            fused::Kernels().narrow(fused::Floats(torch::randn(z.sizes())), z.numel(), fused::Brains(z));
          }};
}
fused::Work ScaledWork(const torch::Tensor& pictures, const torch::Tensor& rows) {
  const int64_t pixels = pictures.size(1);
  return {pictures.size(0), 32.0 * static_cast<double>(pixels), [=](int64_t begin, int64_t end) {
            std::vector<float> row(static_cast<size_t>(pixels));
            for (int64_t i = begin; i < end; ++i) {
              const float* x = fused::Floats(pictures) + i * pixels;
              std::transform(x, x + pixels, row.begin(), [](float v) { return 2 * v - 1; });
              fused::Kernels().narrow(row.data(), pixels, fused::Brains(rows) + i * pixels);
            }
          }};
}

}  // namespace

MlpGan::MlpGan(const MlpGanConfig& config) : config_(config) {
  const int64_t pixels = config_.height * config_.width, hidden = config_.hidden;
  const auto leaky = [] { return torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.2)); };
  const auto drop = [&] { return torch::nn::Dropout(config_.dropout); };
  discriminator_ =
      register_module("discriminator", torch::nn::Sequential(torch::nn::Linear(pixels, hidden), leaky(), drop(),
                                                             torch::nn::Linear(hidden, hidden), leaky(), drop(),
                                                             torch::nn::Linear(hidden, 1)));
  generator_ =
      register_module("generator", torch::nn::Sequential(torch::nn::Linear(config_.latent, hidden), torch::nn::ReLU(),
                                                         torch::nn::Linear(hidden, hidden), torch::nn::ReLU(),
                                                         torch::nn::Linear(hidden, pixels), torch::nn::Tanh()));
  judging_ = LayersOf(discriminator_, Activation::kLeakyRelu, Activation::kNone, config_.dropout);
  making_ = LayersOf(generator_, Activation::kRelu, Activation::kTanh, 0);
}

std::vector<Part> MlpGan::Parts() const {
  return {{"discriminator", {"discriminator."}}, {"generator", {"generator."}}};
}

std::vector<fused::MlpLayer> MlpGan::JudgingLayers() const {
  std::vector<fused::MlpLayer> layers = judging_;
  if (!is_training()) {
    for (fused::MlpLayer& layer : layers) layer.dropout = 0;
  }
  return layers;
}

fused::MlpRun MlpGan::JudgeBoth(const torch::Tensor& pictures) {
  const torch::Tensor truth = pictures.flatten(1).contiguous();
  if (!fused::Enabled()) {
    const torch::Tensor z = torch::randn({truth.size(0), config_.latent}, truth.options());
    const torch::Tensor made = [&] {
      const torch::NoGradGuard no_gradient;
      return generator_->forward(z).to(torch::kFloat32);
    }();
    return {discriminator_->forward(torch::cat({truth * 2 - 1, made})).to(torch::kFloat32), {}};
  }
  const int64_t n = truth.size(0), pixels = truth.size(1);
  const torch::Tensor z = fused::NewBrains(n, config_.latent), rows = fused::NewBrains(2 * n, pixels);
  const torch::Tensor made = rows.narrow(0, n, n);
  fused::MlpInto(z, making_, made, {NormalWork(z), ScaledWork(truth, rows)});
  return fused::RunMlp(rows, JudgingLayers());
}

fused::MlpRun MlpGan::JudgeMade(int64_t n, const torch::TensorOptions& options) {
  if (!fused::Enabled()) {
    const torch::Tensor z = torch::randn({n, config_.latent}, options);
    return {discriminator_->forward(generator_->forward(z).to(torch::kFloat32)).to(torch::kFloat32), {}};
  }
  const torch::Tensor z = fused::NewBrains(n, config_.latent);
  std::vector<fused::MlpLayer> layers = making_;
  for (fused::MlpLayer& layer : JudgingLayers()) layers.push_back(std::move(layer));
  return fused::RunMlp(z, std::move(layers), {NormalWork(z)});
}

Loss MlpGan::ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) {
  const int64_t n = batch.rows();
  if (part == 1) return BinaryLoss(JudgeMade(n, batch.inputs.options()), n, 1);
  const fused::MlpRun judged = JudgeBoth(batch.inputs);
  Loss loss = BinaryLoss(judged, n, 1 - options.label_smoothing);
  loss.details["real_believed"] = ShareAbove(judged.out, 0, n);
  loss.details["made_believed"] = ShareAbove(judged.out, n, 2 * n);
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
