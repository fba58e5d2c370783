// The AVX2 kernels: the same panels as two halves of eight rows. Products of unsigned weights and signed activations go
// through vpmaddubsw, whose 16-bit sums hold for weights up to six bits (2 * 63 * 127 < 2^15); eight-bit weights are
// multiplied as |w| by sign(w) * x, with w back in [-128, 127]: 2 * 128 * 127 fits as well.
#include "kernel/avx2.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernel/target.h"

ATELIER_TARGET_BEGIN("avx2,fma,f16c")
namespace atelier::kernel {
namespace {

constexpr int kHalf = 8;  // rows per register

inline __attribute__((always_inline)) __m256i Load(const uint8_t* at) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(at));
}

template <int kBits>
inline __attribute__((always_inline)) void Unpack(const uint8_t* q, int half, __m256i* group) {
  q += half * 32;
  if constexpr (kBits == 8) {
    const __m256i flip = _mm256_set1_epi8(static_cast<char>(0x80));
    for (int i = 0; i < 8; ++i) group[i] = _mm256_xor_si256(Load(q + i * 64), flip);
    return;
  }
  const __m256i nibble = _mm256_set1_epi8(15);
  for (int i = 0; i < 4; ++i) {
    const __m256i both = Load(q + i * 64);
    group[i] = _mm256_and_si256(both, nibble);
    group[i + 4] = _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble);
  }
  if constexpr (kBits == 5) {
    const __m256i high = Load(q + 256), bit = _mm256_set1_epi8(16);
#pragma GCC unroll 8
    for (int g = 0; g < 8; ++g) {
      const __m256i moved = g < 4 ? _mm256_slli_epi16(high, 4 - g) : _mm256_srli_epi16(high, g - 4);
      group[g] = _mm256_or_si256(group[g], _mm256_and_si256(moved, bit));
    }
  }
  if constexpr (kBits == 6) {
    const __m256i bits = _mm256_set1_epi8(48);
#pragma GCC unroll 8
    for (int g = 0; g < 8; ++g) {
      const __m256i high = Load(q + 256 + g / 4 * 64);
      const int pair = g % 4;
      const __m256i moved = pair < 2 ? _mm256_slli_epi16(high, 4 - 2 * pair) : _mm256_srli_epi16(high, 2 * pair - 4);
      group[g] = _mm256_or_si256(group[g], _mm256_and_si256(moved, bits));
    }
  }
}

// Products of four k-values and a row, two and two, as 16-bit sums.
template <int kBits>
inline __attribute__((always_inline)) __m256i Pairs(__m256i weights, const int8_t* x) {
  const __m256i xs = _mm256_set1_epi32(*reinterpret_cast<const int32_t*>(x));
  if constexpr (kBits == 8)
    return _mm256_maddubs_epi16(_mm256_sign_epi8(weights, weights), _mm256_sign_epi8(xs, weights));
  return _mm256_maddubs_epi16(weights, xs);
}

// sum + the products of groups [0, kGroups). As many 16-bit sums are added before they are widened as cannot overflow:
// 8 * 2 * 15 * 127, 4 * 2 * 31 * 127 and 2 * 2 * 63 * 127 are all below 2^15.
template <int kBits, int kGroups>
inline __attribute__((always_inline)) __m256i Dot(__m256i sum, const __m256i* weights, const int8_t* x) {
  constexpr int kTogether = kBits == 4 ? 8 : kBits == 5 ? 4 : kBits == 6 ? 2 : 1;
  static_assert(kGroups % kTogether == 0);
  const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 8
  for (int g = 0; g < kGroups; g += kTogether) {
    __m256i pairs = Pairs<kBits>(weights[g], x + g * 4);
#pragma GCC unroll 8
    for (int i = 1; i < kTogether; ++i) pairs = _mm256_add_epi16(pairs, Pairs<kBits>(weights[g + i], x + (g + i) * 4));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
  }
  return sum;
}

inline __attribute__((always_inline)) __m256 LoadHalves(const uint16_t* at) {
  return _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(at)));
}

inline void StoreRows(float* out, __m256 values, int64_t rows) {
  if (rows >= kHalf) {
    _mm256_storeu_ps(out, values);
  } else if (rows > 0) {
    alignas(32) float all[kHalf];
    _mm256_store_ps(all, values);
    for (int64_t i = 0; i < rows; ++i) out[i] = all[i];
  }
}

template <int kBits, int kGroup, bool kMin, int kTokens>
inline __attribute__((always_inline)) void Tile(const PackedMatrix& w, int64_t panel, int half, const QuantisedRows& x,
                                                int64_t token, float* out, int64_t out_stride) {
  constexpr int kGroups = kStretch / kGroup;
  const int64_t stretches = w.cols / kStretch;
  const uint8_t* q = w.quants.data() + static_cast<size_t>(panel * stretches) * (kBits * 64);
  const auto* scales =
      reinterpret_cast<const uint16_t*>(w.scales.data()) + panel * stretches * kGroups * kPanel + half * kHalf;
  const auto* mins =
      reinterpret_cast<const uint16_t*>(w.mins.data()) + panel * stretches * kGroups * kPanel + half * kHalf;
  // Eight-bit weights are signed here, so nothing is left to correct.
  const int shift = w.zero_shift;
  __m256 sum[kTokens];
  for (int t = 0; t < kTokens; ++t) sum[t] = _mm256_setzero_ps();
  for (int64_t s = 0; s < stretches; ++s) {
    __m256i group[8];
    Unpack<kBits>(q, half, group);
    const __m256 scale0 = LoadHalves(scales);
    __m256 scale1 = scale0, min0 = scale0;
    if constexpr (kGroups == 2) scale1 = LoadHalves(scales + kPanel);
    if constexpr (kMin) min0 = LoadHalves(mins);
    for (int t = 0; t < kTokens; ++t) {
      const int64_t at = token + t;
      const int8_t* xq = x.q + at * x.cols + s * kStretch;
      const __m256 dx = _mm256_set1_ps(x.scale[at * stretches + s]);
      __m256i dot0 = _mm256_setzero_si256(), dot1 = dot0;
      if constexpr (!kMin && kBits != 8) {
        const int32_t* neg = x.neg_sum + (at * stretches + s) * 2;
        if constexpr (kGroups == 2) {
          dot0 = _mm256_slli_epi32(_mm256_set1_epi32(neg[0]), shift);
          dot1 = _mm256_slli_epi32(_mm256_set1_epi32(neg[1]), shift);
        } else {
          dot0 = _mm256_slli_epi32(_mm256_set1_epi32(neg[0] + neg[1]), shift);
        }
      }
      if constexpr (kGroups == 2) {
        dot0 = Dot<kBits, 4>(dot0, group, xq);
        dot1 = Dot<kBits, 4>(dot1, group + 4, xq + 16);
        sum[t] = _mm256_fmadd_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(dot0), dx), scale0, sum[t]);
        sum[t] = _mm256_fmadd_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(dot1), dx), scale1, sum[t]);
      } else {
        dot0 = Dot<kBits, 8>(dot0, group, xq);
        sum[t] = _mm256_fmadd_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(dot0), dx), scale0, sum[t]);
      }
      if constexpr (kMin) sum[t] = _mm256_fmadd_ps(_mm256_set1_ps(x.scaled_sum[at * stretches + s]), min0, sum[t]);
    }
    q += kBits * 64;
    scales += kGroups * kPanel;
    if constexpr (kMin) mins += kGroups * kPanel;
  }
  const int64_t row = panel * kPanel + half * kHalf;
  for (int t = 0; t < kTokens; ++t) StoreRows(out + (token + t) * out_stride + row, sum[t], w.rows - row);
}

template <int kBits, int kGroup, bool kMin>
void Product(const PackedMatrix* w, int64_t begin, int64_t end, const QuantisedRows* x, float* out, int64_t stride) {
  for (int64_t panel = begin; panel < end; ++panel) {
    for (int half = 0; half < 2; ++half) {
      int64_t t = 0;
      for (; t + 4 <= x->tokens; t += 4) Tile<kBits, kGroup, kMin, 4>(*w, panel, half, *x, t, out, stride);
      for (; t < x->tokens; ++t) Tile<kBits, kGroup, kMin, 1>(*w, panel, half, *x, t, out, stride);
    }
  }
}

void MatmulQuantised(const PackedMatrix* w, int64_t begin, int64_t end, const QuantisedRows* x, float* out,
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

template <Format kFormat>
inline __attribute__((always_inline)) __m256 LoadFloats(const uint8_t* at) {
  if constexpr (kFormat == Format::kF32) return _mm256_load_ps(reinterpret_cast<const float*>(at));
  const __m128i half = _mm_load_si128(reinterpret_cast<const __m128i*>(at));
  if constexpr (kFormat == Format::kF16) return _mm256_cvtph_ps(half);
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}

template <Format kFormat, int kTokens>
inline __attribute__((always_inline)) void FloatTile(const PackedMatrix& w, int64_t panel, const float* x,
                                                     int64_t x_stride, float* out, int64_t out_stride) {
  constexpr int kBytes = kFormat == Format::kF32 ? 64 : 32;
  const uint8_t* at = w.floats.data() + static_cast<size_t>(panel * w.cols) * kBytes;
  __m256 sum[kTokens][2];
  for (int t = 0; t < kTokens; ++t) sum[t][0] = sum[t][1] = _mm256_setzero_ps();
  for (int64_t k = 0; k < w.cols; ++k) {
    const __m256 low = LoadFloats<kFormat>(at + k * kBytes), high = LoadFloats<kFormat>(at + k * kBytes + kBytes / 2);
    for (int t = 0; t < kTokens; ++t) {
      const __m256 value = _mm256_set1_ps(x[t * x_stride + k]);
      sum[t][0] = _mm256_fmadd_ps(low, value, sum[t][0]);
      sum[t][1] = _mm256_fmadd_ps(high, value, sum[t][1]);
    }
  }
  for (int t = 0; t < kTokens; ++t) {
    StoreRows(out + t * out_stride + panel * kPanel, sum[t][0], w.rows - panel * kPanel);
    StoreRows(out + t * out_stride + panel * kPanel + kHalf, sum[t][1], w.rows - panel * kPanel - kHalf);
  }
}

template <Format kFormat>
void FloatProduct(const PackedMatrix* w, int64_t begin, int64_t end, const float* x, int64_t x_stride, int64_t tokens,
                  float* out, int64_t out_stride) {
  for (int64_t panel = begin; panel < end; ++panel) {
    int64_t t = 0;
    for (; t + 4 <= tokens; t += 4)
      FloatTile<kFormat, 4>(*w, panel, x + t * x_stride, x_stride, out + t * out_stride, out_stride);
    for (; t < tokens; ++t)
      FloatTile<kFormat, 1>(*w, panel, x + t * x_stride, x_stride, out + t * out_stride, out_stride);
  }
}

void MatmulFloat(const PackedMatrix* w, int64_t begin, int64_t end, const float* x, int64_t x_stride, int64_t tokens,
                 float* out, int64_t out_stride) {
  switch (w->format) {
    case Format::kF16: return FloatProduct<Format::kF16>(w, begin, end, x, x_stride, tokens, out, out_stride);
    case Format::kBF16: return FloatProduct<Format::kBF16>(w, begin, end, x, x_stride, tokens, out, out_stride);
    default: return FloatProduct<Format::kF32>(w, begin, end, x, x_stride, tokens, out, out_stride);
  }
}

}  // namespace

const Table* Avx2Table() {
  static const Table table = {"avx2",      Avx2Quantise, MatmulQuantised, MatmulFloat,      Avx2RmsNorm,
                              Avx2Gated,   Avx2Attend,   Avx2LogSumExp,   Avx2AddLayerNorm, Avx2BiasGelu,
                              Avx2MinHash, Avx2Dot,      Avx2DotBytes};
  // Every machine with AVX2 has F16C, which compilers cannot all ask for.
  __builtin_cpu_init();
  const bool runs = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return runs ? &table : nullptr;
}

}  // namespace atelier::kernel
ATELIER_TARGET_END
#else
namespace atelier::kernel {
const Table* Avx2Table() { return nullptr; }
}  // namespace atelier::kernel
#endif
