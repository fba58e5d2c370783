// Matrix products of training: C[i, j] = sum over k of A[i, k] B[k, j], A and B in bf16, the sum in f32.
//
// `vdpbf16ps` multiplies pairs of neighbours along the contracted axis, so both sides keep k and k + 1 together:
//   A  anything whose pairs are 32-bit words at fixed strides: rows as they are [rows][depth], or the interleaved form;
//   B  panels of 64 columns [cols/64][depth/2][64][2], padded with zeros: one cache line feeds 16 columns.
// The three products of a linear layer Y = X W^T, X [T, K], W [N, K]:
//   Y = X W^T      A = X rows,            B = pack_weights(W).forward     depth K
//   dX = dY W      A = dY rows,           B = pack_weights(W).backward    depth N
//   dW += dY^T X   A = interleave(dY),    B = interleave(X)               depth T
// Nothing is transposed in memory: the interleaved form only zips two rows.
#pragma once

#include <cstdint>

namespace atelier::kernel {

constexpr int64_t kProductPanel = 64;

// Numbers of uint16_t of a packed B (and of an interleaved A) of these sizes.
constexpr int64_t PackedSize(int64_t cols, int64_t depth) {
  return (cols + kProductPanel - 1) / kProductPanel * kProductPanel * ((depth + 1) / 2 * 2);
}
constexpr int64_t Panels(int64_t cols) { return (cols + kProductPanel - 1) / kProductPanel; }

enum class Activation : uint8_t {
  kNone,
  kRelu,
  kLeakyRelu,  // slope 0.2 below zero (Radford et al. 2016)
  kTanh,
  kSigmoid,
  kSilu,      // x / (1 + e^-x)
  kGelu,      // x/2 (1 + erf(x/sqrt 2)) (Hendrycks & Gimpel 2016)
  kGeluTanh,  // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
};

struct Product {
  int64_t rows = 0, cols = 0, depth = 0;

  // The pair A[i][2p], A[i][2p+1] is a[i / 64 * a_block + i % 64 * a_row + p * a_pair] and the number after it. Of the
  // last pair of an odd depth only the first number is read.
  const uint16_t* a = nullptr;
  int64_t a_row = 0, a_pair = 2, a_block = 0;
  const uint16_t* b = nullptr;  // panels
  void* blocks = nullptr;       // what take_blocks (table.h) made of them, only read; or null

  // What becomes of a sum, in this order:
  //   v = sum (+ out, if accumulate) (+ bias[j]) (+ add16[i][j]) (+ add[i][j])
  //   pre16[i][j] = v                                the pre-activation, kept for the way back
  //   v = act(v)                                     or, with slope16: v *= act'(slope16[i][j])
  //   out[i][j] = v, out16[i][j] = v                 either may be null
  float* out = nullptr;  // [rows, cols] by out_stride
  int64_t out_stride = 0;
  bool accumulate = false;
  uint16_t* out16 = nullptr;
  int64_t out16_stride = 0;
  const float* bias = nullptr;  // [cols]
  const uint16_t* add16 = nullptr;
  int64_t add16_stride = 0;
  const float* add = nullptr;
  int64_t add_stride = 0;
  Activation act = Activation::kNone;
  uint16_t* pre16 = nullptr;
  int64_t pre16_stride = 0;
  const uint16_t* slope16 = nullptr;
  int64_t slope16_stride = 0;

  // A as rows of `stride` numbers, or as what interleave() made of it.
  Product& Rows(const uint16_t* x, int64_t stride) {
    a = x, a_row = stride, a_pair = 2, a_block = kProductPanel * stride;
    return *this;
  }
  Product& Interleaved(const uint16_t* x) {
    a = x, a_row = 2, a_pair = 2 * kProductPanel, a_block = kProductPanel * ((depth + 1) / 2 * 2);
    return *this;
  }
};

}  // namespace atelier::kernel
