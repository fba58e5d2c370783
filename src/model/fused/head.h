// The ends of a language model: rows of an embedding, and the loss over the whole vocabulary.
#pragma once

#include <torch/torch.h>

#include "model/fused/norm.h"

namespace atelier::model::fused {

// x[i] = table[ids[i]] (+ positions[i % time]), f32 [ids, width]. The way back adds to the tables' `grad` in the order
// of the tokens.
torch::Tensor Embed(const torch::Tensor& table, const torch::Tensor& positions, const torch::Tensor& ids);

// mean over labels that are not kIgnored of the cross-entropy of Norm(x) W^T + b (kernel/training/loss.h); x [rows,
// width] f32, or bf16 where there is no norm, W [words, width], b [words] or undefined, labels [rows]. The plain forms
// are Gpt::Logits, Head and CrossEntropy.
//
// The gradient is made with the loss, block by block, and waits for the way back; W's and b's go straight to their
// `grad`. A norm without a weight is none.
torch::Tensor HeadLoss(const torch::Tensor& x, const NormWeights& norm, const torch::Tensor& weight,
                       const torch::Tensor& bias, const torch::Tensor& labels, double label_smoothing);

}  // namespace atelier::model::fused
