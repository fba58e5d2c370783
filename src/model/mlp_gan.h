// Generative adversarial network of two perceptrons (Goodfellow et al. 2014).
//
//   G(z) = tanh(W3 relu(W2 relu(W1 z)))                    [batch, pixels], in [-1, 1]; z normal(0, 1) of `latent`
//   D(x) = w3 leaky(W2 leaky(W1 x))                        [batch], a logit; leaky: max(v, 0.2 v)
//   discriminator's loss: -log sigmoid(D(x)) - log(1 - sigmoid(D(G(z))))
//   generator's loss:     -log sigmoid(D(G(z)))            the form that does not saturate (their section 3)
//
// with biases. Pictures go in as 2 x - 1 and come out as (G(z) + 1) / 2. Each part draws its own z. Label smoothing is
// one-sided: a real picture's target is 1 - label_smoothing (Salimans et al. 2016). Fresh parameters: PyTorch's.
#pragma once

#include "model/fused/mlp.h"
#include "model/picture_model.h"
#include "model/zoo.h"

namespace atelier::model {

struct MlpGanConfig {
  int64_t height = 0, width = 0;
  int64_t latent = 100;
  int64_t hidden = 256;  // of both layers of both parts
  double dropout = 0;    // in the discriminator
};

class MlpGan : public PictureModel {
 public:
  explicit MlpGan(const MlpGanConfig& config);
  std::vector<Part> Parts() const override;
  Loss ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) override;
  torch::Tensor Generate(const torch::Tensor& z) override;
  int64_t latent() const override { return config_.latent; }

 private:
  std::vector<fused::MlpLayer> JudgingLayers() const;  // without dropout where nothing is trained
  // Logits, f32: of pictures [n, height, width] and, below them, of n made ones, which stay as they are: [2 n, 1]; of n
  // made ones: [n, 1]. The plain form's are in torch's graph and have no way back of their own.
  fused::MlpRun JudgeBoth(const torch::Tensor& pictures);
  fused::MlpRun JudgeMade(int64_t n, const torch::TensorOptions& options);
  MlpGanConfig config_;
  torch::nn::Sequential discriminator_{nullptr}, generator_{nullptr};
  std::vector<fused::MlpLayer> judging_, making_;  // the same parameters
};

}  // namespace atelier::model
