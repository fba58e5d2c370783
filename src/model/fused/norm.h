// Normalisation of rows (kernel/training/norm.h): as the pieces that larger steps are made of, and as a step by itself.
#pragma once

#include <torch/torch.h>

namespace atelier::model::fused {

struct NormWeights {
  torch::Tensor weight, bias;  // [width]; bias may be undefined
  bool rms = false;
  double eps = 1e-5;
};

// What a norm read, and what it found there: kept for the way back.
struct Normed {
  torch::Tensor x;              // [rows, width] f32
  torch::Tensor mean, inverse;  // [rows, 1]
};

// The normed rows of x [rows, width] f32, into either or both of y (f32) and y16.
Normed NormForward(const NormWeights& norm, const torch::Tensor& x, torch::Tensor* y, torch::Tensor* y16);
// dx (f32) and, where wanted, its bf16 copy, from dy, the gradient of the normed rows in bf16 or f32, and from that of
// what went past the norm, which may be undefined. The parameters' gradients go to their `grad`.
torch::Tensor NormBackward(const NormWeights& norm, const Normed& normed, const torch::Tensor& dy,
                           const torch::Tensor& d_sum, torch::Tensor* dx16);

// x [rows, width] f32 -> the same; NarrowNorm gives bf16.
torch::Tensor Norm(const torch::Tensor& x, const NormWeights& norm);
torch::Tensor NarrowNorm(const torch::Tensor& x, const NormWeights& norm);

}  // namespace atelier::model::fused
