// Blocks of a product's depth as f32 (product-inl.h): strips of kBlockCols columns of B, [64 / kBlockCols][depth]
// [kBlockCols]; of A rows as they are, [64][kBlockDepth], or zipped ones, [depth][64]. The order of a sum is that of
// Dot.
//
// Included in the anonymous namespace of a set of kernels after vector_*.h, or another blocks_*.h instead.

using BlockNumber = float;
constexpr int64_t kBlockDepth = 128;
constexpr int kBlockRows = 6, kBlockVectors = 4, kBlockCols = kBlockVectors * kLanes;  // 24 sums
constexpr bool kExactBlocks = true;
constexpr bool kSmallBlocks = false;  // twice what they are made of: better made anew in L2 than read from memory
constexpr int64_t kLeastRows = 16;

// Each says whether the block can be multiplied, as f32 always can; `scales` is for other forms.
INLINE bool TakePanel(const uint16_t* b, int64_t pairs, int64_t cols, float* out, float*) {
  for (int64_t c = 0; c < cols && c < kProductPanel; c += kLanes) {
    float* to = out + c / kBlockCols * kBlockDepth * kBlockCols + c % kBlockCols;
    for (int64_t p = 0; p < pairs; ++p) {
      Vec even, odd;
      UnzipPart(b + p * 2 * kProductPanel + 2 * c, kLanes, &even, &odd);
      Store(to + 2 * p * kBlockCols, even);
      Store(to + (2 * p + 1) * kBlockCols, odd);
    }
  }
  return true;
}
INLINE bool TakeRows(const uint16_t* a, int64_t stride, int64_t rows, int64_t depth, float* out, float*) {
  for (int64_t r = 0; r < rows; ++r) {
    int64_t k = 0;
    for (; k + kLanes <= depth; k += kLanes) Store(out + r * kBlockDepth + k, Load(a + r * stride + k));
    if (k < depth) StorePart(out + r * kBlockDepth + k, LoadPart(a + r * stride + k, depth - k), depth - k);
  }
  return true;
}
INLINE bool TakeZipped(const uint16_t* a, int64_t rows, int64_t pairs, float* out, float*) {
  for (int64_t p = 0; p < pairs; ++p) {
    for (int64_t r = 0; r < rows; r += kLanes) {
      Vec even, odd;
      UnzipPart(a + p * 2 * kProductPanel + 2 * r, kLanes, &even, &odd);
      Store(out + 2 * p * kProductPanel + r, even);
      Store(out + (2 * p + 1) * kProductPanel + r, odd);
    }
  }
  return true;
}

template <int kRows, bool kZipped>
INLINE void BlockTile(const float* a, const float* b, int64_t depth, bool first, float* sums) {
  constexpr int64_t kRow = kZipped ? 1 : kBlockDepth, kStep = kZipped ? kProductPanel : 1;
  Vec s[kRows][kBlockVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kBlockVectors; ++v) s[r][v] = first ? Zero() : Load(sums + r * kProductPanel + v * kLanes);
  }
  const auto add = [&](int64_t k) __attribute__((always_inline)) {
    Vec strip[kBlockVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kBlockVectors; ++v) strip[v] = Load(b + k * kBlockCols + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec x = Set(a[r * kRow + k * kStep]);
#pragma GCC unroll 8
      for (int v = 0; v < kBlockVectors; ++v) s[r][v] = Fma(x, strip[v], s[r][v]);
    }
  };
  int64_t k = 0;
  for (; k + 2 <= depth; k += 2) {
    add(k + 1);
    add(k);
  }
  if (k < depth) add(k);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kBlockVectors; ++v) Store(sums + r * kProductPanel + v * kLanes, s[r][v]);
  }
}

template <int kRows, bool kZipped>
INLINE void BlockRows(int64_t rows, const float* a, const float* b, int64_t depth, bool first, float* sums) {
  if (rows == kRows) return BlockTile<kRows, kZipped>(a, b, depth, first, sums);
  if constexpr (kRows > 1) BlockRows<kRows - 1, kZipped>(rows, a, b, depth, first, sums);
}

// A group's sums with a panel's block.
template <bool kZipped>
__attribute__((noinline)) void BlockSums(const float* a, const float*, const float* b, const float*, int64_t rows,
                                         int64_t cols, int64_t depth, bool first, float* sums) {
  for (int64_t c = 0; c < cols && c < kProductPanel; c += kBlockCols) {
    for (int64_t r = 0; r < rows; r += kBlockRows) {
      BlockRows<kBlockRows, kZipped>(rows - r < kBlockRows ? rows - r : kBlockRows, a + r * (kZipped ? 1 : kBlockDepth),
                                     b + c * kBlockDepth, depth, first, sums + r * kProductPanel + c);
    }
  }
}
