// Layers whose weights do not learn and stay as the model's file has them: rows of a matrix are expanded and packed
// block by block inside the product, so that no other copy of it is ever in memory.
#pragma once

#include <torch/torch.h>

#include "model/frozen.h"

namespace atelier::model::fused {

// x W^T in x's type, bf16 products with f32 sums; x [..., ins] f32 or bf16.
torch::Tensor FrozenLinear(const torch::Tensor& x, const FrozenMatrix& w);

struct LowRankWeights {
  torch::Tensor a, b;  // [rank, ins], [outs, rank]; undefined: the layer is left as it is
  double scale = 1;
};

// x W^T (+ bias) + scale (x A^T) B^T; x [rows, ins] bf16 -> [rows, outs] bf16. `bias` [outs], frozen, may be undefined.
torch::Tensor AdaptedLinear(const torch::Tensor& x, const FrozenMatrix& w, const torch::Tensor& bias,
                            const LowRankWeights& low);

// -log softmax(x W^T)[label] of each row, f32 [rows] (with smoothing as kernel/training/loss.h says); x [rows, width]
// bf16, labels [rows] within the vocabulary, W [vocabulary, width]. The gradient of each row is made with its loss and
// waits for the way back, so that the scores are gone by then.
torch::Tensor FrozenHead(const torch::Tensor& x, const FrozenMatrix& w, const torch::Tensor& labels, double smoothing);

}  // namespace atelier::model::fused
