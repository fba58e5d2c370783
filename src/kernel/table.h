// The numeric kernels as one table of functions per instruction set, chosen once at start.
//
// Every result is a function of its own row alone: the same token gives the same bits whether it is computed alone, in
// a batch, or as part of a long prompt, because every kernel of one table takes the stretches, keys and lanes in the
// same order whatever the tile. Batching, shared prefixes and replay rest on this; kernel/table_test.cc holds it.
//
// Kernels never allocate, never throw, and trust their arguments.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernel/packed.h"

namespace atelier::kernel {

enum class Gate { kSilu, kGeluTanh };

// Attention of some query rows that share one key/value head, over one sequence's pages.
//
// A page holds `page_keys` positions (a multiple of 16) of one layer and head:
//   keys   [page_keys/16][head_dim][16]   transposed by groups of 16, one lane per key
//   values [page_keys][head_dim]
// in binary16, or f32 when `wide`.
struct Attention {
  int rows = 0;                               // at most kMaxRows
  int head_dim = 0;                           // a multiple of 16
  const float* const* query = nullptr;        // [rows] pointers to [head_dim]
  float* const* out = nullptr;                // [rows] pointers to [head_dim]
  const int64_t* first = nullptr;             // [rows] first position that the row sees
  const int64_t* last = nullptr;              // [rows] last position that it sees, inclusive; first <= last
  const uint8_t* const* key_pages = nullptr;  // by position / page_keys
  const uint8_t* const* value_pages = nullptr;
  int page_keys = 0;
  bool wide = false;
  float scale = 1;           // of the scores
  float softcap = 0;         // tanh(score/softcap)*softcap; 0: off
  float* scratch = nullptr;  // [rows, (last - first/16*16 rounded up to 16) + 16] of the widest row
};
constexpr int kMaxRows = 8;

struct Table {
  std::string_view name;  // "reference", "avx2", "avx512"

  // One row of `cols` (a multiple of 32) into row `token` of `out`.
  void (*quantise)(const float* x, int64_t token, const QuantisedRows* out);
  // out[t*out_stride + row] for the rows of panels [begin, end), all tokens of x; padding rows are not written.
  void (*matmul_quantised)(const PackedMatrix* w, int64_t begin, int64_t end, const QuantisedRows* x, float* out,
                           int64_t out_stride);
  void (*matmul_float)(const PackedMatrix* w, int64_t begin, int64_t end, const float* x, int64_t x_stride,
                       int64_t tokens, float* out, int64_t out_stride);
  // out = x / sqrt(mean(x^2) + eps) * weight. [n]
  void (*rms_norm)(const float* x, const float* weight, float eps, int64_t n, float* out);
  // gate = act(gate) * up. [n]
  void (*gated)(Gate act, float* gate, const float* up, int64_t n);
  void (*attend)(const Attention* work);
  // The greatest of x[0..n) and log(sum(exp(x - greatest))), in f32 by 16 lanes.
  void (*log_sum_exp)(const float* x, int64_t n, float* greatest, float* log_sum);
  // x = (v - mean(v)) / sqrt(variance(v) + eps) * weight + bias, where v = x + branch (Ba et al. 2016). [n]
  void (*add_layer_norm)(float* x, const float* branch, const float* weight, const float* bias, float eps, int64_t n);
  // x = v/2 * (1 + erf(v/sqrt(2))), where v = x + bias (Hendrycks & Gimpel 2016). [n]
  void (*bias_gelu)(float* x, const float* bias, int64_t n);
  // MinHash (Broder 1997): out[i] = min over j of multiply[i] * x[j] + add[i] modulo 2^32, the greatest number for n =
  // 0. `lanes` is a multiple of 16. Integers: every table gives the same bits.
  void (*min_hash)(const uint32_t* x, int64_t n, const uint32_t* multiply, const uint32_t* add, int64_t lanes,
                   uint32_t* out);
  // Sums of a[i] * b[i]. [n]; of bytes REQUIRES |values| <= 127, n <= 65536.
  float (*dot)(const float* a, const float* b, int64_t n);
  int32_t (*dot_bytes)(const int8_t* a, const int8_t* b, int64_t n);
};

const Table& ReferenceTable();
const Table* Avx2Table();    // null where the compiler or the machine has it not
const Table* Avx512Table();  // F, BW, DQ, VL and VNNI

}  // namespace atelier::kernel
