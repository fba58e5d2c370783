#include "model/vae.h"

namespace atelier::model {

Vae::Vae(const VaeConfig& config) : config_(config) {
  const int64_t pixels = config_.height * config_.width;
  const auto linear = [&](const char* name, int64_t in, int64_t out) {
    return register_module(name, torch::nn::Linear(in, out));
  };
  encode_ = linear("encode", pixels, config_.hidden);
  mean_ = linear("mean", config_.hidden, config_.latent);
  log_variance_ = linear("log_variance", config_.hidden, config_.latent);
  decode_ = linear("decode", config_.latent, config_.hidden);
  output_ = linear("output", config_.hidden, pixels);
}

torch::Tensor Vae::Decode(const torch::Tensor& z) {
  return output_->forward(torch::relu(decode_->forward(z))).to(torch::kFloat32);
}

Loss Vae::ComputeLoss(const Batch& batch, size_t, const LossOptions&) {
  const torch::Tensor x = batch.inputs.flatten(1);
  const auto rows = static_cast<double>(batch.rows());
  const torch::Tensor h = torch::relu(encode_->forward(x));
  const torch::Tensor mean = mean_->forward(h).to(torch::kFloat32);
  const torch::Tensor log_variance = log_variance_->forward(h).to(torch::kFloat32);
  const torch::Tensor z = mean + torch::exp(log_variance / 2) * torch::randn_like(mean);
  const torch::Tensor reconstruction =
      torch::binary_cross_entropy_with_logits(Decode(z), x, {}, {}, at::Reduction::Sum) / rows;
  const torch::Tensor kl = -(1 + log_variance - mean.square() - log_variance.exp()).sum() / (2 * rows);
  Loss loss;
  loss.value = reconstruction + config_.beta * kl;
  loss.details = {{"reconstruction", reconstruction.item<double>()}, {"kl", kl.item<double>()}};
  return loss;
}

torch::Tensor Vae::Generate(const torch::Tensor& z) {
  const torch::NoGradGuard no_gradient;
  return torch::sigmoid(Decode(z)).view({z.size(0), config_.height, config_.width});
}

std::shared_ptr<Model> MakeVae(Table& config, const DataShape& shape) {
  VaeConfig c;
  c.height = shape.height;
  c.width = shape.width;
  c.latent = config.IntOr("latent", c.latent, 1, 1 << 16);
  c.hidden = config.IntOr("hidden", c.hidden, 1, 1 << 16);
  c.beta = config.DoubleOr("beta", c.beta, 0, 1e6);
  return std::make_shared<Vae>(c);
}

}  // namespace atelier::model
