// x W^T + b as one step of the gradient's graph: the product of layers.h's Linear on kernels of training.
#pragma once

#include <torch/torch.h>

namespace atelier::model::fused {

// x [..., ins], W [outs, ins], b [outs] or undefined -> [..., outs] bf16. The way back adds the parameters' gradients
// to their `grad` (ops.h, GradientOf) and hands on that of x.
torch::Tensor Linear(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias);

}  // namespace atelier::model::fused
