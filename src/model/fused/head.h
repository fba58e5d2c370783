// The ends of a language model: rows of an embedding, and the loss over the whole vocabulary.
#pragma once

#include <torch/torch.h>

namespace atelier::model::fused {

// x[i] = table[ids[i]] (+ positions[i % time]), f32 [ids, width]. The way back adds to the tables' `grad` in the order
// of the tokens.
torch::Tensor Embed(const torch::Tensor& table, const torch::Tensor& positions, const torch::Tensor& ids);

// mean over labels that are not kIgnored of the cross-entropy of Norm(x) W^T (kernel/training/loss.h); x [rows, width]
// f32, W [words, width], labels [rows]. The plain form is Gpt::Logits and CrossEntropy.
//
// The gradient is made with the loss, block by block, and waits for the way back; W's goes straight to its `grad`.
struct HeadNorm {
  torch::Tensor weight, bias;
  bool rms = false;
  double eps = 1e-5;
};
torch::Tensor HeadLoss(const torch::Tensor& x, const HeadNorm& norm, const torch::Tensor& weight,
                       const torch::Tensor& labels, double label_smoothing);

}  // namespace atelier::model::fused
