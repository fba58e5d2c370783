// Layers that several architectures share.
#pragma once

#include <torch/torch.h>

namespace atelier::model {

// Of the normal distribution that weights of transformers begin from (BERT and GPT-2 alike).
inline constexpr double kInitialDeviation = 0.02;

// x / sqrt(mean(x^2) + eps) * weight, over the last axis (Zhang & Sennrich 2019).
torch::Tensor RmsNormed(const torch::Tensor& x, const torch::Tensor& weight, double eps);

class RmsNorm : public torch::nn::Module {
 public:
  RmsNorm(int64_t width, double eps);
  torch::Tensor forward(const torch::Tensor& x) const;
  torch::Tensor weight;  // [width]

 private:
  double eps_;
};

// x W^T (+ b), W [out, in] from normal(0, deviation), b from zeros.
class Linear : public torch::nn::Module {
 public:
  Linear(int64_t in, int64_t out, bool bias, double deviation);
  torch::Tensor forward(const torch::Tensor& x) const { return torch::linear(x, weight, bias); }
  torch::Tensor weight, bias;
};

// x W^T + b over a vocabulary. W [classes, in] is `tied`, an embedding elsewhere in the model (Press & Wolf 2017), or,
// where that is undefined, its own from normal(0, deviation); b from zeros.
class Head : public torch::nn::Module {
 public:
  Head(int64_t in, int64_t classes, double deviation, const torch::Tensor& tied);
  torch::Tensor forward(const torch::Tensor& x) const { return torch::linear(x, weight, bias); }
  torch::Tensor weight, bias;
};

// Rotates neighbouring pairs (x[2i], x[2i+1]) of each head by position * base^(-2i/head): RoPE (Su et al. 2021), in the
// interleaved order that GGUF's llama has. x [batch, heads, time, head]; cosines, sines [>= time, head/2].
torch::Tensor Rotate(const torch::Tensor& x, const torch::Tensor& cosines, const torch::Tensor& sines);
void RotationTables(int64_t context, int64_t head, double base, torch::Tensor* cosines, torch::Tensor* sines);

}  // namespace atelier::model
