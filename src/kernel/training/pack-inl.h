// Packed forms of matrices (product.h) and rows between f32 and bf16, for any set of instructions. Included after
// product-inl.h.

// The forward form of panels [begin, end) of 64 rows of x.
template <typename T>
INLINE void PackTurned(const T* x, int64_t stride, int64_t rows, int64_t cols, int64_t begin, int64_t end,
                       uint16_t* out) {
  const int64_t pairs = (cols + 1) / 2;
  for (int64_t panel = begin; panel < end; ++panel) {
    const int64_t count = rows - panel * kProductPanel;
    const T* from = x + panel * kProductPanel * stride;
    uint16_t* to = out + panel * pairs * 2 * kProductPanel;
    for (int64_t p = 0; p < pairs; p += kTurnPairs) {
      for (int64_t r = 0; r < kProductPanel; r += kTurnRows)
        Turn(from + r * stride + 2 * p, stride, count - r, cols - 2 * p, pairs - p, to + p * 2 * kProductPanel + 2 * r);
    }
  }
}

// The backward form of `rows` rows, at most a block of them, at their place in `out`, whose panels have `row_pairs`.
template <typename T>
INLINE void PackZipped(const T* x, int64_t stride, int64_t rows, int64_t cols, int64_t row_pairs, uint16_t* out) {
  for (int64_t r = 0; r < rows; r += 2) {
    const T *even = x + r * stride, *odd = r + 1 < rows ? even + stride : nullptr;
    for (int64_t c = 0; c < Panels(cols) * kProductPanel; c += kLanes) {
      const int64_t n = Left(cols, c);
      ZipPart(n ? even + c : nullptr, n && odd ? odd + c : nullptr, n,
              out + (c / kProductPanel * row_pairs * 2 + r) * kProductPanel + c % kProductPanel * 2);
    }
  }
}

void PackWeights(const float* w, int64_t stride, int64_t rows, int64_t cols, int64_t block_begin, int64_t block_end,
                 uint16_t* forward, uint16_t* backward) {
  const int64_t row_pairs = (rows + 1) / 2;
  for (int64_t block = block_begin; block < block_end; ++block) {
    const int64_t row = block * kProductPanel, count = rows - row < kProductPanel ? rows - row : kProductPanel;
    if (forward) PackTurned(w, stride, rows, cols, block, block + 1, forward);
    if (backward) PackZipped(w + row * stride, stride, count, cols, row_pairs, backward + row * kProductPanel);
  }
}

// Pairs [begin, end) of a panel of `n` columns.
template <bool kFull>
INLINE void ZipRows(const uint16_t* x, int64_t stride, int64_t rows, int64_t n, int64_t begin, int64_t end,
                    uint16_t* out, float* column_sums) {
  constexpr int kVectors = kProductPanel / kLanes;
  Vec sums[kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    sums[v] = !column_sums ? Zero()
              : kFull      ? Load(column_sums + v * kLanes)
                           : LoadPart(column_sums + v * kLanes, Left(n, v * kLanes));
  }
  for (int64_t p = begin; p < end; ++p) {
    const uint16_t *even = x + 2 * p * stride, *odd = 2 * p + 1 < rows ? even + stride : nullptr;
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const int64_t at = v * kLanes, left = kFull ? kLanes : Left(n, at);
      uint16_t* to = out + p * 2 * kProductPanel + 2 * at;
      if (kFull) {
        ZipWhole(even + at, odd + at, to);
      } else {
        ZipPart(left ? even + at : nullptr, left && odd ? odd + at : nullptr, left, to);
      }
      if (column_sums) {
        sums[v] = sums[v] + (kFull ? Load(even + at) : LoadPart(even + at, left));
        if (odd) sums[v] = sums[v] + (kFull ? Load(odd + at) : LoadPart(odd + at, left));
      }
    }
  }
  if (!column_sums) return;
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) StorePart(column_sums + v * kLanes, sums[v], Left(n, v * kLanes));
}

void Interleave(const uint16_t* x, int64_t stride, int64_t rows, int64_t cols, int64_t panel_begin, int64_t panel_end,
                uint16_t* out, float* column_sums) {
  constexpr int64_t kBlock = 16;  // pairs: reads run along the rows, writes along 4 KB of a panel
  const int64_t pairs = (rows + 1) / 2;
  for (int64_t begin = 0; begin < pairs; begin += kBlock) {
    const int64_t end = pairs - begin < kBlock ? pairs : begin + kBlock;
    for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
      const int64_t n = cols - panel * kProductPanel;
      const uint16_t* from = x + panel * kProductPanel;
      uint16_t* to = out + panel * pairs * 2 * kProductPanel;
      float* sums = column_sums ? column_sums + panel * kProductPanel : nullptr;
      if (n >= kProductPanel && 2 * end <= rows) {
        ZipRows<true>(from, stride, rows, kProductPanel, begin, end, to, sums);
      } else {
        ZipRows<false>(from, stride, rows, n, begin, end, to, sums);
      }
    }
  }
}

void ColumnSums(const uint16_t* x, int64_t stride, int64_t rows, int64_t begin, int64_t end, float* sums) {
  constexpr int64_t kBlock = 64;  // rows, read along their length
  for (int64_t row = 0; row < rows; row += kBlock) {
    const int64_t last = rows - row < kBlock ? rows : row + kBlock;
    for (int64_t c = begin; c < end; c += kLanes) {
      Vec sum = LoadPart(sums + c, end - c);
      for (int64_t r = row; r < last; ++r) sum = sum + LoadPart(x + r * stride + c, end - c);
      StorePart(sums + c, sum, end - c);
    }
  }
}

void NarrowAll(const float* x, int64_t n, uint16_t* out) {
  for (int64_t i = 0; i < n; i += kLanes) StorePart(out + i, LoadPart(x + i, n - i), n - i);
}
void WidenAll(const uint16_t* x, int64_t n, float* out) {
  for (int64_t i = 0; i < n; i += kLanes) StorePart(out + i, LoadPart(x + i, n - i), n - i);
}
