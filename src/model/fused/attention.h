// Attention and the gate of a block, as steps of the gradient's graph over rows of bf16: what model/pretrained and
// model/bert_adapted are made of, whose projections carry adapters. Sequences stand one after another without padding.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "kernel/training/product.h"

namespace atelier::model::fused {

struct AttentionShape {
  std::vector<int64_t> starts;                    // [sequences + 1] where each sequence begins in the rows, and the end
  int64_t heads = 0, kv_heads = 0, head_dim = 0;  // head_dim a multiple of 16
  double scale = 1;
  torch::Tensor cosines,
      sines;            // [>= the longest, head_dim / 2]: q and k turn by their positions; undefined: they do not
  bool halves = false;  // which numbers are a pair (kernel/training/norm.h)
  bool causal = true;
  double dropout = 0;  // of the probabilities; draws a seed from torch's generator
};

// q [rows, heads * head_dim], k and v [rows, kv_heads * head_dim] -> [rows, heads * head_dim], all bf16. q and
// k are turned where they lie: nobody else may read them after.
torch::Tensor SelfAttention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                            const AttentionShape& shape);

// act(gate) * up, all bf16 [rows, hidden].
torch::Tensor Gated(kernel::Activation act, const torch::Tensor& gate, const torch::Tensor& up);

}  // namespace atelier::model::fused
