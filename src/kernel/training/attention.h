// Attention that never holds its scores (Dao et al. 2022, Dao 2023), forward and backward, over sequences of any
// lengths that stand one after another without padding.
//
//   out[t, h] = sum over keys s of softmax(scale q[t, h] . k[s, g])[s] v[s, g],   g = h * kv_heads / heads
//
// Scores live as tiles of 64 queries by 64 keys in L1; tiles that the causal rule forbids are never computed. Products
// are bf16 with f32 sums, softmax is f32, the probabilities round to bf16 (2^-9) before they meet the values. The way
// back computes the scores again from the log-sum-exp that the way forth left. A value
// that is not a number reaches all queries of its tile (0 * NaN), even those that do not see it.
//
// Dropout takes probabilities after the softmax, as in Vaswani et al. 2017, and both ways draw the same ones: that of
// query row t (counted over all sequences) in head h and key s of its sequence is number
// (t * heads + h) * kAttentionNumbers + s of the stream, whatever the work is cut into.
//
// A unit of work is one sequence and one key/value head with all the query heads that share it. Units touch nothing
// common: the caller spreads them over threads in any way, each thread with a workspace of its own.
#pragma once

#include <cstdint>

#include "kernel/training/norm.h"
#include "kernel/training/product.h"

namespace atelier::kernel {

constexpr int64_t kAttentionNumbers = int64_t{1} << 22;  // most keys of a sequence under dropout

struct FlashAttention {
  int64_t sequences = 0;
  const int64_t* q_starts = nullptr;  // [sequences + 1] first row of each sequence, and the end
  const int64_t* k_starts = nullptr;  // the same of keys and values; equal to q_starts in self-attention
  int64_t heads = 0, kv_heads = 0;    // heads a multiple of kv_heads
  int64_t head_dim = 0;               // a multiple of 16
  float scale = 1;
  bool causal = false;               // query t of n sees the keys up to t + (keys - n); one that sees none gets 0
  const Dropout* dropout = nullptr;  // of probabilities; null: none

  // Head h of row t is at t * stride + h * head_dim: heads side by side, rows at any stride (a fused q/k/v product).
  const uint16_t *q = nullptr, *k = nullptr, *v = nullptr;
  int64_t q_stride = 0, k_stride = 0, v_stride = 0;
  uint16_t* out = nullptr;  // [rows, heads * head_dim]
  int64_t out_stride = 0;
  float* log_sum = nullptr;  // [heads, rows of q]

  // Backward only. What is written here is written whole.
  const uint16_t* d_out = nullptr;  // stride d_out_stride
  int64_t d_out_stride = 0;
  uint16_t *dq = nullptr, *dk = nullptr, *dv = nullptr;
  int64_t dq_stride = 0, dk_stride = 0, dv_stride = 0;
};

// Bytes of a workspace (aligned to 64) for sequences of at most these lengths.
constexpr int64_t AttentionWorkspace(int64_t head_dim, int64_t queries, int64_t keys, bool backward) {
  const int64_t dims = Panels(head_dim) * kProductPanel;
  const int64_t q = Panels(queries) * kProductPanel, k = Panels(keys) * kProductPanel;
  const int64_t tile = kProductPanel * kProductPanel;
  const int64_t forward = 2 * (k * head_dim + k * dims) + 4 * (tile + kProductPanel * dims) + 2 * tile;
  return backward ? forward + 2 * (k * head_dim + 2 * q * dims) + 4 * (2 * k * dims + tile) + 2 * 2 * tile : forward;
}

}  // namespace atelier::kernel
