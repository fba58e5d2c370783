// Normalisation of rows (Ba et al. 2016; RMSNorm: Zhang & Sennrich 2019), gates, dropout and rotary positions.
//
//   s = x (+ branch)                       the residual sum, kept if `sum` is given
//   y = (s - mean) * inverse * weight (+ bias),   inverse = 1 / sqrt(mean((s - mean)^2) + epsilon), mean = 0 for rms
// and back, with n = (s - mean) * inverse, g = dy * weight:
//   dx = (d_sum) + inverse * (g - mean(g) - n * mean(g * n))       without mean(g) for rms
//   d_weight = sum over rows of dy * n, d_bias = sum over rows of dy
// Statistics and sums are f32. Sums over rows are taken in blocks of kNormBlock rows, each into a row of its own.
#pragma once

#include <cstdint>

#include "kernel/training/product.h"

namespace atelier::kernel {

constexpr int64_t kNormBlock = 64;
constexpr int64_t NormBlocks(int64_t rows) { return (rows + kNormBlock - 1) / kNormBlock; }

struct RowNorm {
  int64_t rows = 0, cols = 0;  // everything below is [rows, cols] without gaps, or [rows], or [cols]
  bool rms = false;
  float epsilon = 1e-5f;
  const float* weight = nullptr;  // null: 1
  const float* bias = nullptr;    // null: 0

  const float* x = nullptr;
  const uint16_t* branch = nullptr;
  float* sum = nullptr;  // null: not wanted; needed for the way back where there is a branch. May be x.
  float* y = nullptr;    // either may be null
  uint16_t* y16 = nullptr;
  float* mean = nullptr;  // [rows], kept for the way back
  float* inverse = nullptr;

  // Backward: reads x (the sum s), mean, inverse and one of dy and dy16.
  const float* dy = nullptr;
  const uint16_t* dy16 = nullptr;
  const float* d_sum = nullptr;  // what reaches s by another way; may be dx
  float* dx = nullptr;           // either may be null
  uint16_t* dx16 = nullptr;
  float* d_weight = nullptr;  // [NormBlocks(rows), cols], overwritten; null: not wanted
  float* d_bias = nullptr;
};

// Philox4x32 with 7 rounds (Salmon et al. 2011) under the key `seed`: numbers 64 c + 16 w + l of `stream` are word w of
// the block whose counter is (16 c + l, stream). The same on every table and for any cut of the work.
struct Dropout {
  uint64_t seed = 0, stream = 0;
  float rate = 0.1f;  // of zeros, in [0, 1); what remains is divided by 1 - rate
};
constexpr int64_t kDropoutChunk = 64;

// Rotates pairs of each head by the angle of the row's position (RoPE, Su et al. 2021): (a, b) becomes (a c - b s,
// a s + b c), or with `back` what undoes it, which is also its gradient. Pair i is of numbers 2 i and 2 i + 1, or with
// `halves` of i and i + dim / 2.
struct Rotation {
  uint16_t* x = nullptr;  // [rows, heads * dim] by stride, in place
  int64_t stride = 0, heads = 0, dim = 0;
  const int64_t* positions = nullptr;                // [rows]
  const float *cosines = nullptr, *sines = nullptr;  // [positions, dim / 2]
  bool back = false, halves = false;
};

}  // namespace atelier::kernel
