// What the kernels in *-inl.h are written in, as AVX-512: a vector of 16 numbers, parts of vectors for the ends of
// rows, bf16 in and out. Included after ATELIER_TARGET_BEGIN inside an anonymous namespace.
//
// With ATELIER_WIDENS defined it asks for no instructions for bf16: products are f32's over widened blocks. Some
// processors have none; Intel's multiply pairs of bf16 at half the rate of f32 (one in two cycles, against two a cycle
// of half as many), AMD's at twice it.
//
// No #pragma once: each file that is a set of kernels has its own copy.

#define INLINE inline __attribute__((always_inline))

constexpr int kLanes = 16;
using Vec = __m512;
using Mask = __mmask16;

INLINE Mask Part(int64_t n) { return static_cast<Mask>(n >= 16 ? 0xffff : n > 0 ? (1u << n) - 1 : 0); }
INLINE Vec Zero() { return _mm512_setzero_ps(); }
INLINE Vec Set(float x) { return _mm512_set1_ps(x); }
INLINE Vec Load(const float* at) { return _mm512_loadu_ps(at); }
INLINE Vec LoadPart(const float* at, int64_t n) { return _mm512_maskz_loadu_ps(Part(n), at); }
INLINE void Store(float* at, Vec x) { _mm512_storeu_ps(at, x); }
INLINE void StorePart(float* at, Vec x, int64_t n) { _mm512_mask_storeu_ps(at, Part(n), x); }
INLINE Vec Widen(__m256i x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); }
INLINE Vec Load(const uint16_t* at) { return Widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at))); }
INLINE Vec LoadPart(const uint16_t* at, int64_t n) { return Widen(_mm256_maskz_loadu_epi16(Part(n), at)); }
#ifdef ATELIER_WIDENS
INLINE __m256i Narrow(Vec x) {  // to nearest even; NaN stays NaN
  const __m512i bits = _mm512_castps_si512(x), top = _mm512_srli_epi32(bits, 16);
  const __m512i half = _mm512_add_epi32(_mm512_and_si512(top, _mm512_set1_epi32(1)), _mm512_set1_epi32(0x7fff));
  const __m512i up = _mm512_srli_epi32(_mm512_add_epi32(bits, half), 16);
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_mask_or_epi32(up, nan, top, _mm512_set1_epi32(0x40)));
}
#else
INLINE __m256i Narrow(Vec x) { return (__m256i)_mm512_cvtneps_pbh(x); }
#endif
INLINE Vec LoadBytes(const uint8_t* at) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))));
}
INLINE Vec LoadHalves(const uint16_t* at, int64_t n) {  // IEEE's, of 16 bits
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(Part(n), at));
}
INLINE void Store(uint16_t* at, Vec x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), Narrow(x)); }
INLINE void StorePart(uint16_t* at, Vec x, int64_t n) { _mm256_mask_storeu_epi16(at, Part(n), Narrow(x)); }

INLINE Vec Fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }    // a b + c
INLINE Vec Fnma(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a, b, c); }  // c - a b
INLINE Vec Max(Vec a, Vec b) { return _mm512_max_ps(a, b); }                // b where either is NaN
INLINE Vec Min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
INLINE Vec Sqrt(Vec a) { return _mm512_sqrt_ps(a); }
INLINE Vec Round(Vec a) { return _mm512_roundscale_ps(a, 8); }
INLINE Vec Abs(Vec a) { return _mm512_abs_ps(a); }
INLINE Vec SignOf(Vec a, Vec size) {  // size with the sign of a
  const __m512i sign = _mm512_set1_epi32(static_cast<int>(0x80000000u));
  return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(sign, _mm512_castps_si512(a), _mm512_castps_si512(size), 0xca));
}
INLINE Mask Above(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
INLINE Vec Choose(Mask m, Vec yes, Vec no) { return _mm512_mask_blend_ps(m, no, yes); }
INLINE Vec Scale2(Vec x, Vec n) { return _mm512_scalef_ps(x, n); }  // x 2^n, n whole; 0 and inf at the ends

// 1 / x for normal x below 2^126, relative error below 2^-22.
INLINE Vec Reciprocal(Vec x) {
  const Vec r = _mm512_rcp14_ps(x);
  return r * _mm512_fnmadd_ps(x, r, _mm512_set1_ps(2.0f));
}

INLINE Vec BlendPart(Vec x, Vec rest, int64_t n) { return _mm512_mask_blend_ps(Part(n), rest, x); }  // n lanes of x
INLINE float FirstLane(Vec x) { return _mm512_cvtss_f32(x); }

// Which of a chunk's 64 random numbers (norm.h) are at least `least`.
INLINE void Philox(uint64_t seed, uint64_t stream, uint64_t chunk, uint32_t least, Mask* kept) {
  const uint64_t counter = chunk * 16;  // its low word does not overflow within a chunk
  __m512i c0 = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(counter)),
                                _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
  __m512i c1 = _mm512_set1_epi32(static_cast<int>(counter >> 32));
  __m512i c2 = _mm512_set1_epi32(static_cast<int>(stream)), c3 = _mm512_set1_epi32(static_cast<int>(stream >> 32));
  uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
  const __m512i m0 = _mm512_set1_epi32(static_cast<int>(0xD2511F53u)),
                m1 = _mm512_set1_epi32(static_cast<int>(0xCD9E8D57u));
  for (int round = 0; round < 7; ++round) {
    const __m512i e0 = _mm512_mul_epu32(c0, m0), o0 = _mm512_mul_epu32(_mm512_srli_epi64(c0, 32), m0);
    const __m512i e1 = _mm512_mul_epu32(c2, m1), o1 = _mm512_mul_epu32(_mm512_srli_epi64(c2, 32), m1);
    const __m512i low0 = _mm512_mask_blend_epi32(0xaaaa, e0, _mm512_slli_epi64(o0, 32));
    const __m512i low1 = _mm512_mask_blend_epi32(0xaaaa, e1, _mm512_slli_epi64(o1, 32));
    const __m512i high0 = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(e0, 32), o0);
    const __m512i high1 = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(e1, 32), o1);
    c0 = _mm512_ternarylogic_epi32(high1, c1, _mm512_set1_epi32(static_cast<int>(k0)), 0x96);
    c2 = _mm512_ternarylogic_epi32(high0, c3, _mm512_set1_epi32(static_cast<int>(k1)), 0x96);
    c1 = low1, c3 = low0;
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
  const __m512i bound = _mm512_set1_epi32(static_cast<int>(least));
  kept[0] = _mm512_cmpge_epu32_mask(c0, bound), kept[1] = _mm512_cmpge_epu32_mask(c1, bound);
  kept[2] = _mm512_cmpge_epu32_mask(c2, bound), kept[3] = _mm512_cmpge_epu32_mask(c3, bound);
}

// Sums in double.
struct Wide {
  __m512d low, high;
};
INLINE Wide ZeroWide() { return {_mm512_setzero_pd(), _mm512_setzero_pd()}; }
INLINE void AddSquares(Vec x, Wide* sum) {
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(x)), high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
  sum->low = _mm512_fmadd_pd(low, low, sum->low);
  sum->high = _mm512_fmadd_pd(high, high, sum->high);
}
INLINE double SumWide(const Wide& sum) {
  double lanes[8], total = 0;
  _mm512_storeu_pd(lanes, _mm512_add_pd(sum.low, sum.high));
  for (const double lane : lanes) total += lane;
  return total;
}

// Sums of lanes in one order: halves onto each other.
INLINE float SumLanes(Vec x) {
  __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  q = _mm_add_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
INLINE float MaxLanes(Vec x) { return _mm512_reduce_max_ps(x); }

// Pairs of bf16 numbers: B's as they are loaded, A's the same in all lanes.
#ifdef ATELIER_WIDENS
struct Pairs {
  Vec even, odd;
};
using Pair = Pairs;
INLINE Pairs Split(__m512i both) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(both, 16)),
          _mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(static_cast<int>(0xffff0000u))))};
}
INLINE Pairs LoadPairs(const uint16_t* at) { return Split(_mm512_loadu_si512(at)); }
INLINE Pair SetPair(const uint16_t* at) {
  int32_t both;
  __builtin_memcpy(&both, at, 4);
  return Split(_mm512_set1_epi32(both));
}
INLINE Pair SetHalfPair(const uint16_t* at) { return Split(_mm512_set1_epi32(*at)); }
INLINE Vec Dot(Pair a, Pairs b, Vec sum) { return Fma(a.even, b.even, Fma(a.odd, b.odd, sum)); }

constexpr bool kConverts = true;                // product-inl.h
constexpr int kTileRows = 4, kTileVectors = 4;  // 16 sums, 8 halves of B, 2 of A in 32 registers
#else
using Pairs = __m512bh;
using Pair = __m512bh;
INLINE Pairs LoadPairs(const uint16_t* at) { return (__m512bh)_mm512_loadu_si512(at); }
INLINE Pair SetPair(const uint16_t* at) {
  int32_t both;
  __builtin_memcpy(&both, at, 4);
  return (__m512bh)_mm512_set1_epi32(both);
}
INLINE Pair SetHalfPair(const uint16_t* at) { return (__m512bh)_mm512_set1_epi32(*at); }
INLINE Vec Dot(Pair a, Pairs b, Vec sum) { return _mm512_dpbf16_ps(sum, a, b); }

constexpr bool kConverts = false;  // product-inl.h
constexpr int kTileRows = 6, kTileVectors = 4;
#endif

// Two rows of bf16 as pairs: out[j] = (even[j], odd[j]), `n` columns, the rest zero up to 16.
INLINE void Zip(__m256i even, __m256i odd, uint16_t* out) {
  const __m512i low = _mm512_cvtepu16_epi32(even), high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd), 16);
  _mm512_storeu_si512(out, _mm512_or_si512(low, high));
}
INLINE void ZipWhole(const uint16_t* even, const uint16_t* odd, uint16_t* out) {
  Zip(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(even)),
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(odd)), out);
}
INLINE void ZipPart(const uint16_t* even, const uint16_t* odd, int64_t n, uint16_t* out) {
  const __m256i zero = _mm256_setzero_si256();
  Zip(even ? _mm256_maskz_loadu_epi16(Part(n), even) : zero, odd ? _mm256_maskz_loadu_epi16(Part(n), odd) : zero, out);
}
INLINE void ZipPart(const float* even, const float* odd, int64_t n, uint16_t* out) {
  Zip(Narrow(even ? LoadPart(even, n) : Zero()), Narrow(odd ? LoadPart(odd, n) : Zero()), out);
}

// `n` pairs as two vectors, and back.
INLINE void UnzipPart(const uint16_t* at, int64_t n, Vec* even, Vec* odd) {
  const __m512i both = _mm512_maskz_loadu_epi32(Part(n), at);
  *even = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
  *odd = _mm512_castsi512_ps(_mm512_and_si512(both, _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
}
INLINE void PutZipped(uint16_t* at, Vec even, Vec odd, int64_t n) {
  alignas(64) uint16_t pairs[32];
  Zip(Narrow(even), Narrow(odd), pairs);
  _mm512_mask_storeu_epi32(at, Part(n), _mm512_load_si512(pairs));
}

// The pairs of 16 rows, turned: out[p * 64 * 2 + r * 2] = (row r)[2p], [2p + 1] for the `n` numbers of each of `rows`
// rows, zeros elsewhere up to 16 pairs; 64 * 2 or another stride.
INLINE __m512i LoadTurn(const float* at, int64_t n) {
  const __m256i low = Narrow(LoadPart(at, n)),
                high = n > 16 ? Narrow(LoadPart(at + 16, n - 16)) : _mm256_setzero_si256();
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}
INLINE __m512i LoadTurn(const uint16_t* at, int64_t n) {
  return _mm512_maskz_loadu_epi16(n >= 32 ? 0xffffffffu : (1u << n) - 1, at);
}
template <typename T>
INLINE void Turn(const T* x, int64_t stride, int64_t rows, int64_t n, int64_t pairs, uint16_t* out,
                 int64_t out_stride = 128) {
  __m512i r[16], t[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) r[i] = i < rows ? LoadTurn(x + i * stride, n) : _mm512_setzero_si512();
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i)
    if (i < pairs) _mm512_storeu_si512(out + i * out_stride, r[i]);
}
constexpr int kTurnRows = 16, kTurnPairs = 16;
