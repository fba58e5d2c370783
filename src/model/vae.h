// Variational autoencoder (Kingma & Welling 2014), with the weight beta of Higgins et al. 2017.
//
//   h = relu(W1 x);  m = Wm h;  log s^2 = Ws h                       [batch, latent]
//   z = m + s e,  e normal(0, 1)
//   p = sigmoid(W3 relu(W2 z))                                       [batch, pixels]
//   loss = -sum over pixels of (x log p + (1 - x) log(1 - p)) + beta KL,   the mean over rows
//   KL = -1/2 sum of (1 + log s^2 - m^2 - s^2)
//
// with biases; pixels in [0, 1] count as probabilities. details: reconstruction, kl. In evaluation e is drawn, too.
#pragma once

#include "model/picture_model.h"
#include "model/zoo.h"

namespace atelier::model {

struct VaeConfig {
  int64_t height = 0, width = 0;
  int64_t latent = 20, hidden = 400;
  double beta = 1;
};

class Vae : public PictureModel {
 public:
  explicit Vae(const VaeConfig& config);
  Loss ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) override;
  torch::Tensor Generate(const torch::Tensor& z) override;
  int64_t latent() const override { return config_.latent; }

 private:
  torch::Tensor Decode(const torch::Tensor& z);  // logits [batch, pixels]
  VaeConfig config_;
  torch::nn::Linear encode_{nullptr}, mean_{nullptr}, log_variance_{nullptr}, decode_{nullptr}, output_{nullptr};
};

}  // namespace atelier::model
