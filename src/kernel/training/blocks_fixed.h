// Blocks of a product's depth as whole numbers that share an exponent (product-inl.h), with AVX2: two of 16 bits are
// multiplied and added at 1.5 times the rate of two f32 (dynamic fixed point: Das et al. 2018, arXiv 1802.00930).
//
// The 128 numbers of a row of A, or a column of B, in a block have the exponent of the greatest of them, and 12 bits
// and a sign each: bf16's 8 bits whole down to 1/16 of the greatest, from there on to the nearest. Within a block
// products add up exactly, as 128 * 4080^2 < 2^31; blocks add up in f32. A block with an infinity or NaN is not taken.
//
// Pairs stay pairs: strips of 16 columns of B, [4][pairs][16][2]; A's rows as they are, [64][128], or zipped,
// [pairs][64][2]. Included in the anonymous namespace of the set of kernels after vector_avx2.h.

using BlockNumber = int16_t;
constexpr int64_t kBlockDepth = 128;
constexpr int kBlockCols = 16, kBlockRows = 6;
constexpr bool kExactBlocks = false;
constexpr bool kSmallBlocks = true;
constexpr int64_t kLeastRows = 1;  // what a row gives must not hang on how many there are

// By what numbers are multiplied to be whole, and what undoes it, of the bits of their greatest sizes.
struct Exponents {
  Vec up, down;
  bool finite;
};
INLINE Exponents ExponentsOf(__m256i greatest) {
  // Of 2^(e - 127) the factor is 2^(138 - e); what is smaller than 2^-115 is nothing.
  const __m256i e = _mm256_srli_epi32(greatest, 7), some = _mm256_cmpgt_epi32(e, _mm256_set1_epi32(11));
  const __m256i up = _mm256_slli_epi32(_mm256_sub_epi32(_mm256_set1_epi32(265), e), 23);
  const __m256i down = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(11)), 23);
  const __m256i beyond = _mm256_cmpgt_epi32(e, _mm256_set1_epi32(254));
  return {_mm256_castsi256_ps(_mm256_and_si256(up, some)), _mm256_castsi256_ps(_mm256_and_si256(down, some)),
          _mm256_testz_si256(beyond, beyond) != 0};
}
INLINE __m256i LoadWhole(const void* at) { return _mm256_loadu_si256(static_cast<const __m256i*>(at)); }
INLINE __m256i Sizes(__m256i x) { return _mm256_and_si256(x, _mm256_set1_epi16(0x7fff)); }
INLINE __m256i GreaterOfPair(__m256i x) {
  return _mm256_and_si256(_mm256_max_epu16(x, _mm256_srli_epi32(x, 16)), _mm256_set1_epi32(0xffff));
}
// Eight pairs of bf16 as whole numbers.
INLINE void PutWhole(__m256i both, Vec up, int16_t* out) {
  const Pairs x = Split(both);
  const __m256i even = _mm256_cvtps_epi32(x.even * up), odd = _mm256_slli_epi32(_mm256_cvtps_epi32(x.odd * up), 16);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_blend_epi16(even, odd, 0xaa));
}

// `cols` columns of pairs [pairs][64][2], 16 at a time to `out` + strip * kStrip by kStride.
template <int64_t kStrip, int64_t kStride>
INLINE bool TakePairs(const uint16_t* x, int64_t pairs, int64_t cols, int16_t* out, float* scales) {
  bool finite = true;
  for (int64_t c = 0; c < cols && c < kProductPanel; c += 16) {
    const uint16_t* from = x + 2 * c;
    int16_t* to = out + c / 16 * kStrip;
    __m256i low = _mm256_setzero_si256(), high = low;
    for (int64_t p = 0; p < pairs; ++p) {
      low = _mm256_max_epu16(low, Sizes(LoadWhole(from + p * 2 * kProductPanel)));
      high = _mm256_max_epu16(high, Sizes(LoadWhole(from + p * 2 * kProductPanel + 16)));
    }
    const Exponents first = ExponentsOf(GreaterOfPair(low)), second = ExponentsOf(GreaterOfPair(high));
    finite &= first.finite && second.finite;
    Store(scales + c, first.down);
    Store(scales + c + 8, second.down);
    for (int64_t p = 0; p < pairs; ++p) {
      PutWhole(LoadWhole(from + p * 2 * kProductPanel), first.up, to + p * kStride);
      PutWhole(LoadWhole(from + p * 2 * kProductPanel + 16), second.up, to + p * kStride + 16);
    }
  }
  return finite;
}
INLINE bool TakePanel(const uint16_t* b, int64_t pairs, int64_t cols, int16_t* out, float* scales) {
  return TakePairs<kBlockDepth * kBlockCols, 2 * kBlockCols>(b, pairs, cols, out, scales);
}
INLINE bool TakeZipped(const uint16_t* a, int64_t rows, int64_t pairs, int16_t* out, float* scales) {
  return TakePairs<2 * kBlockCols, 2 * kProductPanel>(a, pairs, rows, out, scales);
}
INLINE bool TakeRows(const uint16_t* a, int64_t stride, int64_t rows, int64_t depth, int16_t* out, float* scales) {
  bool finite = true;
  const int64_t whole = depth / 16 * 16;
  for (int64_t r = 0; r < rows; ++r) {
    const uint16_t* from = a + r * stride;
    alignas(32) uint16_t rest[16] = {};
    if (whole < depth) __builtin_memcpy(rest, from + whole, 2 * static_cast<size_t>(depth - whole));
    __m256i m = Sizes(_mm256_load_si256(reinterpret_cast<const __m256i*>(rest)));
    for (int64_t k = 0; k < whole; k += 16) m = _mm256_max_epu16(m, Sizes(LoadWhole(from + k)));
    // The greatest of eight is the least of what they lack.
    const __m128i eight = _mm_max_epu16(_mm256_castsi256_si128(m), _mm256_extracti128_si256(m, 1));
    const int lack = _mm_extract_epi16(_mm_minpos_epu16(_mm_xor_si128(eight, _mm_set1_epi16(-1))), 0);
    const Exponents e = ExponentsOf(_mm256_set1_epi32(0xffff - lack));
    finite &= e.finite;
    scales[r] = FirstLane(e.down);
    for (int64_t k = 0; k < whole; k += 16) PutWhole(LoadWhole(from + k), e.up, out + r * kBlockDepth + k);
    if (whole < depth) PutWhole(LoadWhole(rest), e.up, out + r * kBlockDepth + whole);
  }
  return finite;
}

// sum += the pairs' products. As text, since a compiler that moves the halves apart runs out of registers.
INLINE void AddPairs(__m256i a, __m256i b, __m256i* sum) {
  __m256i products;
  asm volatile("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(*sum), "=&x"(products) : "x"(a), "x"(b));
}

template <int kRows, bool kZipped>
INLINE void BlockTile(const int16_t* a, const float* a_scales, const int16_t* b, const float* b_scales, int64_t pairs,
                      bool first, float* sums) {
  constexpr int64_t kRow = kZipped ? 2 : kBlockDepth, kStep = kZipped ? 2 * kProductPanel : 2;
  __m256i s[kRows][2];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) s[r][0] = s[r][1] = _mm256_setzero_si256();
  for (int64_t p = 0; p < pairs; ++p) {
    const __m256i left = LoadWhole(b + p * 2 * kBlockCols), right = LoadWhole(b + p * 2 * kBlockCols + 16);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      int32_t both;
      __builtin_memcpy(&both, a + r * kRow + p * kStep, 4);
      const __m256i pair = _mm256_set1_epi32(both);
      AddPairs(pair, left, &s[r][0]);
      AddPairs(pair, right, &s[r][1]);
    }
  }
  const Vec scale[2] = {Load(b_scales), Load(b_scales + kLanes)};
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      float* to = sums + r * kProductPanel + v * kLanes;
      Store(to, Fma(_mm256_cvtepi32_ps(s[r][v]) * Set(a_scales[r]), scale[v], first ? Zero() : Load(to)));
    }
  }
}

template <int kRows, bool kZipped>
INLINE void BlockRows(int64_t rows, const int16_t* a, const float* a_scales, const int16_t* b, const float* b_scales,
                      int64_t pairs, bool first, float* sums) {
  if (rows == kRows) return BlockTile<kRows, kZipped>(a, a_scales, b, b_scales, pairs, first, sums);
  if constexpr (kRows > 1) BlockRows<kRows - 1, kZipped>(rows, a, a_scales, b, b_scales, pairs, first, sums);
}

// A group's sums with a panel's block.
template <bool kZipped>
__attribute__((noinline)) void BlockSums(const int16_t* a, const float* a_scales, const int16_t* b,
                                         const float* b_scales, int64_t rows, int64_t cols, int64_t depth, bool first,
                                         float* sums) {
  for (int64_t c = 0; c < cols && c < kProductPanel; c += kBlockCols) {
    for (int64_t r = 0; r < rows; r += kBlockRows) {
      BlockRows<kBlockRows, kZipped>(rows - r < kBlockRows ? rows - r : kBlockRows, a + r * (kZipped ? 2 : kBlockDepth),
                                     a_scales + r, b + c * kBlockDepth, b_scales + c, (depth + 1) / 2, first,
                                     sums + r * kProductPanel + c);
    }
  }
}
