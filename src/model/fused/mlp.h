// Linear layers one after another as one step of the gradient's graph:
//   x = drop(act(x W^T + b))
// Between layers everything is bf16; sums, the last layer's numbers and gradients of parameters are f32. The plain form
// is a Sequential of torch's Linear, activations and dropouts.
//
// Its way back adds the parameters' gradients to their `grad` (ops.h, GradientOf) and hands on that of x alone, if
// wanted. Layers whose parameters want no gradient are passed through.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <vector>

#include "model/fused/ops.h"

namespace atelier::model::fused {

struct MlpLayer {
  torch::Tensor weight, bias;  // [outs, ins], [outs] or undefined
  kernel::Activation act = kernel::Activation::kNone;
  double dropout = 0;                                             // draws from torch's generator
  std::shared_ptr<KeptPack> kept = std::make_shared<KeptPack>();  // shared by a layer's copies
};

// x [rows, ins] f32 or bf16 -> [rows, outs of the last] f32. The last layer has neither activation nor dropout. `first`
// is done before x is read: it may fill it, if x is bf16.
torch::Tensor Mlp(const torch::Tensor& x, std::vector<MlpLayer> layers, std::vector<Work> first = {});
// The same without a gradient into `rows`, bf16 [rows, outs of the last] without gaps; the last layer may have both.
void MlpInto(const torch::Tensor& x, std::vector<MlpLayer> layers, const torch::Tensor& rows,
             std::vector<Work> first = {});

}  // namespace atelier::model::fused
