// What the kernels in *-inl.h are written in, as AVX2 with FMA: a vector of 8 numbers; a product of pairs of bf16 is
// two multiply-adds. Included after ATELIER_TARGET_BEGIN inside an anonymous namespace.
//
// No #pragma once: each file that is a set of kernels has its own copy.

#define INLINE inline __attribute__((always_inline))

constexpr int kLanes = 8;
using Vec = __m256;
using Mask = __m256;

alignas(32) constexpr int32_t kPartMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

INLINE __m256i Part(int64_t n) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kPartMask + 8 - (n > 8 ? 8 : n > 0 ? n : 0)));
}
INLINE Vec Zero() { return _mm256_setzero_ps(); }
INLINE Vec Set(float x) { return _mm256_set1_ps(x); }
INLINE Vec Load(const float* at) { return _mm256_loadu_ps(at); }
INLINE Vec LoadPart(const float* at, int64_t n) { return _mm256_maskload_ps(at, Part(n)); }
INLINE void Store(float* at, Vec x) { _mm256_storeu_ps(at, x); }
INLINE void StorePart(float* at, Vec x, int64_t n) { _mm256_maskstore_ps(at, Part(n), x); }
INLINE __m128i Load8(const uint16_t* at, int64_t n) {
  if (n >= 8) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  alignas(16) uint16_t part[8] = {};
  for (int64_t i = 0; i < n; ++i) part[i] = at[i];
  return _mm_load_si128(reinterpret_cast<const __m128i*>(part));
}
INLINE Vec Widen(__m128i x) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16)); }
INLINE Vec Load(const uint16_t* at) { return Widen(Load8(at, 8)); }
INLINE Vec LoadPart(const uint16_t* at, int64_t n) { return Widen(Load8(at, n)); }
INLINE Vec LoadBytes(const uint8_t* at) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at))));
}
INLINE Vec LoadHalves(const uint16_t* at, int64_t n) { return _mm256_cvtph_ps(Load8(at, n)); }  // IEEE's, of 16 bits
INLINE __m128i Narrow(Vec x) {  // to nearest even; NaN stays NaN
  const __m256i bits = _mm256_castps_si256(x), one = _mm256_set1_epi32(1);
  const __m256i even = _mm256_and_si256(_mm256_srli_epi32(bits, 16), one);
  __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(even, _mm256_set1_epi32(0x7fff)));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  up = _mm256_blendv_epi8(up, quiet, _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
  up = _mm256_srli_epi32(up, 16);
  return _mm_packus_epi32(_mm256_castsi256_si128(up), _mm256_extracti128_si256(up, 1));
}
INLINE void Store(uint16_t* at, Vec x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(at), Narrow(x)); }
INLINE void StorePart(uint16_t* at, Vec x, int64_t n) {
  if (n >= 8) return Store(at, x);
  alignas(16) uint16_t part[8];
  _mm_store_si128(reinterpret_cast<__m128i*>(part), Narrow(x));
  for (int64_t i = 0; i < n; ++i) at[i] = part[i];
}

INLINE Vec Fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }    // a b + c
INLINE Vec Fnma(Vec a, Vec b, Vec c) { return _mm256_fnmadd_ps(a, b, c); }  // c - a b
INLINE Vec Max(Vec a, Vec b) { return _mm256_max_ps(a, b); }                // b where either is NaN
INLINE Vec Min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
INLINE Vec Sqrt(Vec a) { return _mm256_sqrt_ps(a); }
INLINE Vec Round(Vec a) { return _mm256_round_ps(a, 8); }
INLINE Vec Abs(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
INLINE Vec SignOf(Vec a, Vec size) {  // size, which is positive, with the sign of a
  return _mm256_or_ps(_mm256_and_ps(_mm256_set1_ps(-0.0f), a), size);
}
INLINE Mask Above(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
INLINE Vec Choose(Mask m, Vec yes, Vec no) { return _mm256_blendv_ps(no, yes, m); }
INLINE Vec Scale2(Vec x, Vec n) {  // x 2^n, n whole, in two steps that each can be written as a number
  n = Max(Set(-252.0f), Min(Set(252.0f), n));
  const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1), bias = _mm256_set1_epi32(127);
  const __m256i rest = _mm256_sub_epi32(whole, half);
  const Vec a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
  const Vec b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
  return x * a * b;
}

INLINE Vec Reciprocal(Vec x) { return Set(1.0f) / x; }

INLINE Vec BlendPart(Vec x, Vec rest, int64_t n) { return _mm256_blendv_ps(rest, x, _mm256_castsi256_ps(Part(n))); }
INLINE float FirstLane(Vec x) { return _mm256_cvtss_f32(x); }

// Which of a chunk's 64 random numbers (norm.h) are at least `least`.
INLINE void Philox(uint64_t seed, uint64_t stream, uint64_t chunk, uint32_t least, Mask* kept) {
  const __m256i m0 = _mm256_set1_epi32(static_cast<int>(0xD2511F53u)),
                m1 = _mm256_set1_epi32(static_cast<int>(0xCD9E8D57u));
  const __m256i bound = _mm256_set1_epi32(static_cast<int>(least));
  for (int half = 0; half < 2; ++half) {
    const uint64_t counter = chunk * 16 + static_cast<uint64_t>(half) * 8;
    __m256i c0 =
        _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(counter)), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
    __m256i c1 = _mm256_set1_epi32(static_cast<int>(counter >> 32));
    __m256i c2 = _mm256_set1_epi32(static_cast<int>(stream)), c3 = _mm256_set1_epi32(static_cast<int>(stream >> 32));
    uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 7; ++round) {
      const __m256i e0 = _mm256_mul_epu32(c0, m0), o0 = _mm256_mul_epu32(_mm256_srli_epi64(c0, 32), m0);
      const __m256i e1 = _mm256_mul_epu32(c2, m1), o1 = _mm256_mul_epu32(_mm256_srli_epi64(c2, 32), m1);
      const __m256i low0 = _mm256_blend_epi32(e0, _mm256_slli_epi64(o0, 32), 0xaa);
      const __m256i low1 = _mm256_blend_epi32(e1, _mm256_slli_epi64(o1, 32), 0xaa);
      const __m256i high0 = _mm256_blend_epi32(_mm256_srli_epi64(e0, 32), o0, 0xaa);
      const __m256i high1 = _mm256_blend_epi32(_mm256_srli_epi64(e1, 32), o1, 0xaa);
      c0 = _mm256_xor_si256(_mm256_xor_si256(high1, c1), _mm256_set1_epi32(static_cast<int>(k0)));
      c2 = _mm256_xor_si256(_mm256_xor_si256(high0, c3), _mm256_set1_epi32(static_cast<int>(k1)));
      c1 = low1, c3 = low0;
      k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    const __m256i words[4] = {c0, c1, c2, c3};
    for (int k = 0; k < 4; ++k) {  // x >= bound as max(x, bound) == x
      kept[2 * k + half] = _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_max_epu32(words[k], bound), words[k]));
    }
  }
}

// Sums in double.
struct Wide {
  __m256d low, high;
};
INLINE Wide ZeroWide() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
INLINE void AddSquares(Vec x, Wide* sum) {
  const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(x)), high = _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
  sum->low = _mm256_fmadd_pd(low, low, sum->low);
  sum->high = _mm256_fmadd_pd(high, high, sum->high);
}
INLINE double SumWide(const Wide& sum) {
  double lanes[4], total = 0;
  _mm256_storeu_pd(lanes, _mm256_add_pd(sum.low, sum.high));
  for (const double lane : lanes) total += lane;
  return total;
}

INLINE float SumLanes(Vec x) {
  __m128 q = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  q = _mm_add_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}
INLINE float MaxLanes(Vec x) {
  __m128 q = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  q = _mm_max_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

// Pairs of bf16 numbers as two vectors: B's as they are loaded, A's the same in all lanes.
struct Pairs {
  Vec even, odd;
};
using Pair = Pairs;
INLINE Pairs Split(__m256i both) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(both, 16)),
          _mm256_castsi256_ps(_mm256_and_si256(both, _mm256_set1_epi32(static_cast<int>(0xffff0000u))))};
}
INLINE Pairs LoadPairs(const uint16_t* at) { return Split(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at))); }
INLINE Pair SetPair(const uint16_t* at) {
  int32_t both;
  __builtin_memcpy(&both, at, 4);
  return Split(_mm256_set1_epi32(both));
}
INLINE Pair SetHalfPair(const uint16_t* at) { return Split(_mm256_set1_epi32(*at)); }
INLINE Vec Dot(Pair a, Pairs b, Vec sum) { return Fma(a.even, b.even, Fma(a.odd, b.odd, sum)); }

constexpr bool kConverts = true;  // product-inl.h
constexpr int kTileRows = 4, kTileVectors = 2;

// Two rows of bf16 as pairs: out[j] = (even[j], odd[j]), `n` columns, the rest zero up to 8.
INLINE void Zip(__m128i even, __m128i odd, uint16_t* out) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_unpacklo_epi16(even, odd));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 8), _mm_unpackhi_epi16(even, odd));
}
INLINE void ZipWhole(const uint16_t* even, const uint16_t* odd, uint16_t* out) {
  Zip(Load8(even, 8), Load8(odd, 8), out);
}
INLINE void ZipPart(const uint16_t* even, const uint16_t* odd, int64_t n, uint16_t* out) {
  Zip(even ? Load8(even, n) : _mm_setzero_si128(), odd ? Load8(odd, n) : _mm_setzero_si128(), out);
}
INLINE void ZipPart(const float* even, const float* odd, int64_t n, uint16_t* out) {
  Zip(Narrow(even ? LoadPart(even, n) : Zero()), Narrow(odd ? LoadPart(odd, n) : Zero()), out);
}

// `n` pairs as two vectors, and back.
INLINE void UnzipPart(const uint16_t* at, int64_t n, Vec* even, Vec* odd) {
  const __m256i both = _mm256_maskload_epi32(reinterpret_cast<const int*>(at), Part(n));
  *even = _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
  *odd = _mm256_castsi256_ps(_mm256_and_si256(both, _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
}
INLINE void PutZipped(uint16_t* at, Vec even, Vec odd, int64_t n) {
  alignas(32) uint16_t pairs[16];
  Zip(Narrow(even), Narrow(odd), pairs);
  _mm256_maskstore_epi32(reinterpret_cast<int*>(at), Part(n),
                         _mm256_load_si256(reinterpret_cast<const __m256i*>(pairs)));
}

INLINE __m128i NarrowPart(const uint16_t* x, int64_t n) { return Load8(x, n); }
INLINE __m128i NarrowPart(const float* x, int64_t n) { return Narrow(n >= 8 ? Load(x) : LoadPart(x, n)); }

// The pairs of 8 rows, turned: out[p * 64 * 2 + r * 2] = (row r)[2p], [2p + 1] for the `n` numbers of each of `rows`
// rows, zeros elsewhere up to 4 pairs.
template <typename T>
INLINE void Turn(const T* x, int64_t stride, int64_t rows, int64_t n, int64_t pairs, uint16_t* out) {
  const auto row = [&](int64_t r) __attribute__((always_inline)) {
    return r < rows ? NarrowPart(x + r * stride, n) : _mm_setzero_si128();
  };
  __m256i two[4], mixed[4];  // rows r and r + 4 side by side
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) two[r] = _mm256_inserti128_si256(_mm256_castsi128_si256(row(r)), row(r + 4), 1);
#pragma GCC unroll 2
  for (int r = 0; r < 2; ++r) {
    mixed[2 * r] = _mm256_unpacklo_epi32(two[2 * r], two[2 * r + 1]);
    mixed[2 * r + 1] = _mm256_unpackhi_epi32(two[2 * r], two[2 * r + 1]);
  }
#pragma GCC unroll 4
  for (int p = 0; p < 4; ++p) {
    if (p >= pairs) return;
    const __m256i low = mixed[p / 2], high = mixed[2 + p / 2];
    const __m256i pair = p % 2 ? _mm256_unpackhi_epi64(low, high) : _mm256_unpacklo_epi64(low, high);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + p * 128), pair);
  }
}
constexpr int kTurnRows = 8, kTurnPairs = 4;
