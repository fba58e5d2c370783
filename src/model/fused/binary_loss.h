// Cross-entropy of yes and no from logits, in f32: the mean of log(1 + e^x) - t x over the first `first` of them, whose
// target t is `yes`, and the mean over the rest, whose target is 0. Few numbers, outside of torch's graph, where torch
// takes a dozen operators.
#pragma once

#include <torch/torch.h>

namespace atelier::model::fused {

// logits [n, 1] or [n] f32; `d_logits`, f32 of their shape, gets the slope where it is defined.
// REQUIRES: 0 < first <= n.
double BinaryLoss(const torch::Tensor& logits, int64_t first, double yes, const torch::Tensor& d_logits);

}  // namespace atelier::model::fused
