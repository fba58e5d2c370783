// Linear layers one after another as one step of the gradient's graph:
//   x = drop(act(x W^T + b)),  the last x W^T + b alone
// Between layers everything is bf16; sums, the last layer's numbers and gradients of parameters are f32. The plain form
// is a Sequential of torch's Linear and activations.
//
// Its way back adds the parameters' gradients to their `grad` (ops.h, GradientOf) and hands on that of x alone, if
// wanted.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "kernel/training/product.h"

namespace atelier::model::fused {

struct MlpLayer {
  torch::Tensor weight, bias;  // [outs, ins], [outs] or undefined
};

// x [rows, ins] f32 -> [rows, outs of the last] f32. `dropout` draws from torch's generator.
torch::Tensor Mlp(const torch::Tensor& x, const std::vector<MlpLayer>& layers, kernel::Activation act,
                  double dropout = 0);

}  // namespace atelier::model::fused
