// Attention with AVX-512: all scores of up to eight rows, an exact softmax, then the weighted sum of values. Groups of
// 16 keys start at positions that are multiples of 16 and are taken in order, a key that a row does not see counts as
// an exact zero: what else shares the tile changes nothing.
#include "kernel/avx512.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernel/target.h"

ATELIER_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c,avx2")
namespace atelier::kernel {
namespace {

#include "kernel/avx512_math.h"

template <bool kWide>
inline __attribute__((always_inline)) __m512 Load16(const uint8_t* page, int64_t at) {
  if constexpr (kWide) return _mm512_loadu_ps(reinterpret_cast<const float*>(page) + at);
  return _mm512_cvtph_ps(
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(reinterpret_cast<const uint16_t*>(page) + at)));
}

struct Range {
  int64_t low, high;  // positions: low a multiple of 16, high inclusive
};

// scratch[r][p - low] = scaled score of row r at position p, -inf where the row does not see it.
template <bool kWide, int kRows>
inline __attribute__((always_inline)) void Scores(const Attention& a, int row, Range range, int64_t width) {
  const __m512 scale = _mm512_set1_ps(a.scale);
  const __m512 never = _mm512_set1_ps(-__builtin_inff());
  for (int64_t p = range.low; p <= range.high; p += kKeys) {
    const uint8_t* page = a.key_pages[p / a.page_keys];
    const int64_t base = p % a.page_keys / kKeys * a.head_dim * kKeys;
    __m512 sum[kRows];
    for (int r = 0; r < kRows; ++r) sum[r] = _mm512_setzero_ps();
    for (int d = 0; d < a.head_dim; ++d) {
      const __m512 key = Load16<kWide>(page, base + d * kKeys);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) sum[r] = _mm512_fmadd_ps(key, _mm512_set1_ps(a.query[row + r][d]), sum[r]);
    }
    for (int r = 0; r < kRows; ++r) {
      __m512 score = _mm512_mul_ps(sum[r], scale);
      if (a.softcap > 0) {
        const __m512 cap = _mm512_set1_ps(a.softcap);
        score = _mm512_mul_ps(Tanh(_mm512_div_ps(score, cap)), cap);
      }
      const int64_t from = a.first[row + r] - p, to = a.last[row + r] - p;  // lanes from..to are seen
      unsigned seen = 0xffff;
      if (from > 0) seen = from >= kKeys ? 0 : seen << from & 0xffff;
      if (to < kKeys - 1) seen = to < 0 ? 0 : seen & ((2u << to) - 1);
      score = _mm512_mask_mov_ps(never, static_cast<__mmask16>(seen), score);
      _mm512_storeu_ps(a.scratch + r * width + (p - range.low), score);
    }
  }
}

// Turns scores into weights that sum to one over `sum`, which is returned.
inline float Softmax(float* scores, int64_t width) {
  __m512 most = _mm512_set1_ps(-__builtin_inff());
  for (int64_t i = 0; i < width; i += 16) most = _mm512_max_ps(_mm512_loadu_ps(scores + i), most);
  const __m512 top = _mm512_set1_ps(_mm512_reduce_max_ps(most));
  __m512 sum = _mm512_setzero_ps();
  for (int64_t i = 0; i < width; i += 16) {
    const __m512 e = Exp(_mm512_sub_ps(_mm512_loadu_ps(scores + i), top));
    _mm512_storeu_ps(scores + i, e);
    sum = _mm512_add_ps(sum, e);
  }
  return _mm512_reduce_add_ps(sum);
}

template <bool kWide, int kRows, int kChunks>
inline __attribute__((always_inline)) void Values(const Attention& a, int row, Range range, int64_t width, int d,
                                                  const float* sums) {
  __m512 sum[kRows][kChunks];
  for (int r = 0; r < kRows; ++r)
    for (int c = 0; c < kChunks; ++c) sum[r][c] = _mm512_setzero_ps();
  for (int64_t p = range.low; p <= range.high;) {
    const uint8_t* page = a.value_pages[p / a.page_keys];
    int64_t in = p % a.page_keys;
    for (; in < a.page_keys && p <= range.high; ++in, ++p) {
      __m512 value[kChunks];
      for (int c = 0; c < kChunks; ++c) value[c] = Load16<kWide>(page, in * a.head_dim + d + c * 16);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const __m512 weight = _mm512_set1_ps(a.scratch[r * width + (p - range.low)]);
#pragma GCC unroll 2
        for (int c = 0; c < kChunks; ++c) sum[r][c] = _mm512_fmadd_ps(weight, value[c], sum[r][c]);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    const __m512 inverse = _mm512_set1_ps(1.0f / sums[r]);
    for (int c = 0; c < kChunks; ++c) _mm512_storeu_ps(a.out[row + r] + d + c * 16, _mm512_mul_ps(sum[r][c], inverse));
  }
}

template <bool kWide, int kRows>
void Rows(const Attention& a, int row) {
  Range range{a.first[row], a.last[row]};
  for (int r = 1; r < kRows; ++r) {
    if (a.first[row + r] < range.low) range.low = a.first[row + r];
    if (a.last[row + r] > range.high) range.high = a.last[row + r];
  }
  range.low = range.low / kKeys * kKeys;
  const int64_t width = (range.high - range.low) / kKeys * kKeys + kKeys;
  Scores<kWide, kRows>(a, row, range, width);
  float sums[kRows];
  for (int r = 0; r < kRows; ++r) sums[r] = Softmax(a.scratch + r * width, width);
  int d = 0;
  for (; d + 32 <= a.head_dim; d += 32) Values<kWide, kRows, 2>(a, row, range, width, d, sums);
  if (d < a.head_dim) Values<kWide, kRows, 1>(a, row, range, width, d, sums);
}

template <bool kWide>
void AttendRows(const Attention& a) {
  int row = 0;
  if (row + 8 <= a.rows) Rows<kWide, 8>(a, row), row += 8;
  if (row + 4 <= a.rows) Rows<kWide, 4>(a, row), row += 4;
  if (row + 2 <= a.rows) Rows<kWide, 2>(a, row), row += 2;
  if (row + 1 <= a.rows) Rows<kWide, 1>(a, row);
}

}  // namespace

void Avx512Attend(const Attention* a) { a->wide ? AttendRows<true>(*a) : AttendRows<false>(*a); }

}  // namespace atelier::kernel
ATELIER_TARGET_END
#endif
