// Products with matrices that do not learn (model/frozen.h), expanded by blocks of rows that stay in the caches.
#pragma once

#include <torch/torch.h>

#include "model/frozen.h"

namespace atelier::model::fused {

// x W^T: x [..., ins] f32 or bf16 -> [..., outs] of the same type. Sums are f32, factors bf16.
torch::Tensor FrozenLinear(const torch::Tensor& x, const FrozenMatrix& w);

}  // namespace atelier::model::fused
