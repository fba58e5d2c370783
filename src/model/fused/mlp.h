// Linear layers one after another, outside of torch's graph, which costs a small model more than its products:
//   x = drop(act(x W^T + b))
// Between layers everything is bf16; sums, the last layer's numbers and gradients of parameters are f32. The plain form
// is a Sequential of torch's Linear, activations and dropouts.
#pragma once

#include <torch/torch.h>

#include <functional>
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

struct MlpRun {
  torch::Tensor out;  // f32 [rows, outs of the last]
  // Adds what comes of d, f32 like out, to the parameters' `grad` (ops.h, GradientOf). Layers whose parameters want no
  // gradient are passed through. Unset where none wants any or gradients are switched off.
  std::function<void(const torch::Tensor& d)> backward;
};

// x: bf16 [rows, ins] without gaps. The last layer has neither activation nor dropout. `first` is done before x is
// read: it may fill it.
MlpRun RunMlp(const torch::Tensor& x, std::vector<MlpLayer> layers, std::vector<Work> first = {});
// The same without a way back into `rows`, bf16 [rows, outs of the last] without gaps; the last layer may have both.
void MlpInto(const torch::Tensor& x, std::vector<MlpLayer> layers, const torch::Tensor& rows,
             std::vector<Work> first = {});

}  // namespace atelier::model::fused
