// One block of a transformer as one step of the gradient's graph. The rows are normed before its parts (GPT-2, Llama):
//   x = x + W_o Attention(rotate(W_q n), rotate(W_k n), W_v n),  n = Norm(x)
//   x = x + W_down (act(W_up n)),  or W_down (act(W_gate n) * W_up n),  n = Norm(x)
// or after them (BERT):
//   x = Norm(x + W_o Attention(W_q x, W_k x, W_v x))
//   x = Norm(x + W_down (act(W_up x)))
// The plain forms are Gpt::Block and BertEncoder::Layer; this one keeps the residual stream in f32 and everything
// between in bf16.
//
// Its way back adds the parameters' gradients to their `grad` (ops.h, GradientOf) and hands on that of x alone.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "kernel/training/product.h"

namespace atelier::model::fused {

struct BlockWeights {
  struct Affine {
    torch::Tensor weight, bias;  // [outs, ins], [outs] or undefined
  };
  Affine attn_norm, q, k, v, output, ffn_norm, gate, up, down;  // gate: undefined where the form has none
};

struct BlockShape {
  std::vector<int64_t> starts;  // [sequences + 1] where each sequence begins in the rows of x, and the end: no padding
  int64_t heads = 0, kv_heads = 0;
  bool rms = false, causal = true;
  bool post = false;  // norms after the parts
  double norm_eps = 1e-5;
  double dropout = 0;            // of what both parts add to x
  double attention_dropout = 0;  // of attention's probabilities
  kernel::Activation act = kernel::Activation::kGelu;
  torch::Tensor cosines, sines;  // [>= time, head / 2]; undefined: no rotation
};

// Starts of `sequences` sequences that are all `time` long.
std::vector<int64_t> EqualStarts(int64_t sequences, int64_t time);

// Heads whose width attention can take (kernel/training/attention.h).
inline bool FitsBlock(int64_t width, int64_t heads) { return width / heads % 16 == 0; }

// x [rows, width] f32 -> the same.
torch::Tensor Block(const torch::Tensor& x, const BlockWeights& weights, const BlockShape& shape);

}  // namespace atelier::model::fused
