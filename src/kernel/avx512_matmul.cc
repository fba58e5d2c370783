// Matrix products with AVX-512 VNNI. A tile is one panel of 16 rows by up to 16 tokens: the stretch's 32 weights per
// row are unpacked once into eight registers, then each token costs eight vpdpbusd with its activations broadcast from
// memory, one conversion and two multiply-adds. Sums run over the stretches in order, whatever the tile.
#include "kernel/avx512.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernel/target.h"

ATELIER_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,f16c,avx2")
namespace atelier::kernel {
namespace {

struct Weights {
  __m512i group[8];  // unsigned bytes, 16 rows x 4 k each
};

template <int kBits>
inline __attribute__((always_inline)) Weights Unpack(const uint8_t* q) {
  Weights w;
  const __m512i nibble = _mm512_set1_epi8(15);
  if constexpr (kBits == 8) {
    for (int i = 0; i < 8; ++i) w.group[i] = _mm512_load_si512(q + i * 64);
    return w;
  }
  for (int i = 0; i < 4; ++i) {
    const __m512i both = _mm512_load_si512(q + i * 64);
    w.group[i] = _mm512_and_si512(both, nibble);
    w.group[i + 4] = _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble);
  }
  if constexpr (kBits == 5) {
    const __m512i high = _mm512_load_si512(q + 256);
    const __m512i bit = _mm512_set1_epi8(16);
#pragma GCC unroll 8
    for (int g = 0; g < 8; ++g) {
      const __m512i moved = g < 4 ? _mm512_slli_epi16(high, 4 - g) : _mm512_srli_epi16(high, g - 4);
      w.group[g] = _mm512_ternarylogic_epi32(w.group[g], moved, bit, 0xf8);  // w | (moved & bit)
    }
  }
  if constexpr (kBits == 6) {
    const __m512i bits = _mm512_set1_epi8(48);
#pragma GCC unroll 8
    for (int g = 0; g < 8; ++g) {
      const __m512i high = _mm512_load_si512(q + 256 + g / 4 * 64);
      const int pair = g % 4;
      const __m512i moved = pair < 2 ? _mm512_slli_epi16(high, 4 - 2 * pair) : _mm512_srli_epi16(high, 2 * pair - 4);
      w.group[g] = _mm512_ternarylogic_epi32(w.group[g], moved, bits, 0xf8);
    }
  }
  return w;
}

inline __attribute__((always_inline)) __m512 LoadHalves(const uint16_t* at) {
  return _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(at)));
}

inline __attribute__((always_inline)) __m512i Broadcast32(const int8_t* at) {
  return _mm512_set1_epi32(*reinterpret_cast<const int32_t*>(at));
}

// One panel by kTokens tokens from `token` on.
template <int kBits, int kGroup, bool kMin, int kTokens>
inline __attribute__((always_inline)) void Tile(const PackedMatrix& w, int64_t panel, const QuantisedRows& x,
                                                int64_t token, float* out, int64_t out_stride, __mmask16 rows) {
  constexpr int kGroups = kStretch / kGroup;
  const int64_t stretches = w.cols / kStretch;
  const uint8_t* q = w.quants.data() + static_cast<size_t>(panel * stretches) * (kBits * 64);
  const auto* scales = reinterpret_cast<const uint16_t*>(w.scales.data()) + panel * stretches * kGroups * kPanel;
  const auto* mins = reinterpret_cast<const uint16_t*>(w.mins.data()) + panel * stretches * kGroups * kPanel;
  const int shift = w.zero_shift;
  __m512 sum[kTokens];
  for (int t = 0; t < kTokens; ++t) sum[t] = _mm512_setzero_ps();
  for (int64_t s = 0; s < stretches; ++s) {
    if constexpr (kTokens <= 4) {  // a stream from memory: ask for it ahead
      for (int line = 0; line < kBits; ++line)
        _mm_prefetch(reinterpret_cast<const char*>(q + 3072 + line * 64), _MM_HINT_T0);
    }
    const Weights weights = Unpack<kBits>(q);
    const __m512 scale0 = LoadHalves(scales);
    __m512 scale1 = scale0, min0 = scale0;
    if constexpr (kGroups == 2) scale1 = LoadHalves(scales + kPanel);
    if constexpr (kMin) min0 = LoadHalves(mins);
#pragma GCC unroll 16
    for (int t = 0; t < kTokens; ++t) {
      const int64_t at = token + t;
      const int8_t* xq = x.q + at * x.cols + s * kStretch;
      const __m512 dx = _mm512_set1_ps(x.scale[at * stretches + s]);
      __m512i dot0 = _mm512_setzero_si512(), dot1 = dot0;
      if constexpr (!kMin) {
        const int32_t* neg = x.neg_sum + (at * stretches + s) * 2;
        if constexpr (kGroups == 2) {
          dot0 = _mm512_slli_epi32(_mm512_set1_epi32(neg[0]), shift);
          dot1 = _mm512_slli_epi32(_mm512_set1_epi32(neg[1]), shift);
        } else {
          dot0 = _mm512_slli_epi32(_mm512_set1_epi32(neg[0] + neg[1]), shift);
        }
      }
      if constexpr (kGroups == 2) {
        for (int g = 0; g < 4; ++g) dot0 = _mm512_dpbusd_epi32(dot0, weights.group[g], Broadcast32(xq + g * 4));
        for (int g = 4; g < 8; ++g) dot1 = _mm512_dpbusd_epi32(dot1, weights.group[g], Broadcast32(xq + g * 4));
        sum[t] = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(dot0), dx), scale0, sum[t]);
        sum[t] = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(dot1), dx), scale1, sum[t]);
      } else {
        for (int g = 0; g < 8; ++g) dot0 = _mm512_dpbusd_epi32(dot0, weights.group[g], Broadcast32(xq + g * 4));
        sum[t] = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(dot0), dx), scale0, sum[t]);
      }
      if constexpr (kMin) sum[t] = _mm512_fmadd_ps(_mm512_set1_ps(x.scaled_sum[at * stretches + s]), min0, sum[t]);
    }
    q += kBits * 64;
    scales += kGroups * kPanel;
    if constexpr (kMin) mins += kGroups * kPanel;
  }
  for (int t = 0; t < kTokens; ++t) {
    _mm512_mask_storeu_ps(out + (token + t) * out_stride + panel * kPanel, rows, sum[t]);
  }
}

inline __mmask16 RowMask(int64_t rows, int64_t panel) {
  const int64_t left = rows - panel * kPanel;
  return static_cast<__mmask16>(left >= kPanel ? 0xffff : (1 << left) - 1);
}

template <int kBits, int kGroup, bool kMin>
void Product(const PackedMatrix* w, int64_t begin, int64_t end, const QuantisedRows* x, float* out, int64_t stride) {
  for (int64_t panel = begin; panel < end; ++panel) {
    const __mmask16 rows = RowMask(w->rows, panel);
    int64_t t = 0;
    for (; t + 16 <= x->tokens; t += 16) Tile<kBits, kGroup, kMin, 16>(*w, panel, *x, t, out, stride, rows);
    if (t + 8 <= x->tokens) Tile<kBits, kGroup, kMin, 8>(*w, panel, *x, t, out, stride, rows), t += 8;
    if (t + 4 <= x->tokens) Tile<kBits, kGroup, kMin, 4>(*w, panel, *x, t, out, stride, rows), t += 4;
    if (t + 2 <= x->tokens) Tile<kBits, kGroup, kMin, 2>(*w, panel, *x, t, out, stride, rows), t += 2;
    if (t < x->tokens) Tile<kBits, kGroup, kMin, 1>(*w, panel, *x, t, out, stride, rows);
  }
}

template <Format kFormat>
inline __attribute__((always_inline)) __m512 LoadFloats(const uint8_t* at) {
  if constexpr (kFormat == Format::kF32) return _mm512_load_ps(at);
  const __m256i half = _mm256_load_si256(reinterpret_cast<const __m256i*>(at));
  if constexpr (kFormat == Format::kF16) return _mm512_cvtph_ps(half);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

template <Format kFormat, int kTokens>
inline __attribute__((always_inline)) void FloatTile(const PackedMatrix& w, int64_t panel, const float* x,
                                                     int64_t x_stride, int64_t token, float* out, int64_t out_stride,
                                                     __mmask16 rows) {
  x += token * x_stride;
  out += token * out_stride;
  constexpr int kBytes = kFormat == Format::kF32 ? 64 : 32;
  const uint8_t* at = w.floats.data() + static_cast<size_t>(panel * w.cols) * kBytes;
  __m512 sum[kTokens];
  for (int t = 0; t < kTokens; ++t) sum[t] = _mm512_setzero_ps();
  for (int64_t k = 0; k < w.cols; ++k) {
    const __m512 weight = LoadFloats<kFormat>(at + k * kBytes);
#pragma GCC unroll 16
    for (int t = 0; t < kTokens; ++t) sum[t] = _mm512_fmadd_ps(weight, _mm512_set1_ps(x[t * x_stride + k]), sum[t]);
  }
  for (int t = 0; t < kTokens; ++t) _mm512_mask_storeu_ps(out + t * out_stride + panel * kPanel, rows, sum[t]);
}

template <Format kFormat>
void FloatProduct(const PackedMatrix* w, int64_t begin, int64_t end, const float* x, int64_t x_stride, int64_t tokens,
                  float* out, int64_t out_stride) {
  for (int64_t panel = begin; panel < end; ++panel) {
    const __mmask16 rows = RowMask(w->rows, panel);
    int64_t t = 0;
    for (; t + 16 <= tokens; t += 16) FloatTile<kFormat, 16>(*w, panel, x, x_stride, t, out, out_stride, rows);
    if (t + 8 <= tokens) FloatTile<kFormat, 8>(*w, panel, x, x_stride, t, out, out_stride, rows), t += 8;
    if (t + 4 <= tokens) FloatTile<kFormat, 4>(*w, panel, x, x_stride, t, out, out_stride, rows), t += 4;
    if (t + 2 <= tokens) FloatTile<kFormat, 2>(*w, panel, x, x_stride, t, out, out_stride, rows), t += 2;
    if (t < tokens) FloatTile<kFormat, 1>(*w, panel, x, x_stride, t, out, out_stride, rows);
  }
}

}  // namespace

void Avx512MatmulQuantised(const PackedMatrix* w, int64_t begin, int64_t end, const QuantisedRows* x, float* out,
                           int64_t stride) {
  const bool min = w->stretch.has_min;
  switch (w->stretch.bits) {
    case 4:
      return min ? Product<4, 32, true>(w, begin, end, x, out, stride)
                 : Product<4, 32, false>(w, begin, end, x, out, stride);
    case 5:
      return min ? Product<5, 32, true>(w, begin, end, x, out, stride)
                 : Product<5, 32, false>(w, begin, end, x, out, stride);
    case 6: return Product<6, 16, false>(w, begin, end, x, out, stride);
    default: return Product<8, 32, false>(w, begin, end, x, out, stride);
  }
}

void Avx512MatmulFloat(const PackedMatrix* w, int64_t begin, int64_t end, const float* x, int64_t x_stride,
                       int64_t tokens, float* out, int64_t out_stride) {
  switch (w->format) {
    case Format::kF16: return FloatProduct<Format::kF16>(w, begin, end, x, x_stride, tokens, out, out_stride);
    case Format::kBF16: return FloatProduct<Format::kBF16>(w, begin, end, x, x_stride, tokens, out, out_stride);
    default: return FloatProduct<Format::kF32>(w, begin, end, x, x_stride, tokens, out, out_stride);
  }
}

}  // namespace atelier::kernel
ATELIER_TARGET_END
#endif
