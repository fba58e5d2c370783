// Products of training (product.h), for any set of instructions that vector_*.h describes. Included by the file of
// each set after that, in its anonymous namespace.
//
// A group of 64 rows meets a panel of 64 columns block by block of the depth: the sums of a tile of kTileRows rows stay
// in registers over a block, those of the group in L1 (16 KB) between blocks, the panel's block (64 KB) in L2. So a
// panel deeper than the caches is read once for 64 rows, and what follows a sum finds it in L1.

constexpr int64_t kGroup = 64, kDepthPairs = 256;
// What is left of n numbers at `at`.
INLINE int64_t Left(int64_t n, int64_t at) { return n > at ? n - at : 0; }

constexpr int kTileCols = kTileVectors * kLanes;

// A tile's part of one block: sums [kRows, 64].
template <int kRows, int kVectors>
INLINE void Tile(const uint16_t* a, int64_t a_row, int64_t a_pair, const uint16_t* b, int64_t pairs, bool half,
                 bool first, float* sums) {
  Vec s[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) s[r][v] = first ? Zero() : Load(sums + r * kProductPanel + v * kLanes);
  }
  for (int64_t p = 0; p < pairs; ++p) {
    Pairs panel[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) panel[v] = LoadPairs(b + v * 2 * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Pair pair = SetPair(a + r * a_row);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) s[r][v] = Dot(pair, panel[v], s[r][v]);
    }
    a += a_pair;
    b += 2 * kProductPanel;
  }
  if (half) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Pair pair = SetHalfPair(a + r * a_row);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) s[r][v] = Dot(pair, LoadPairs(b + v * 2 * kLanes), s[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) Store(sums + r * kProductPanel + v * kLanes, s[r][v]);
  }
}

template <int kRows, int kVectors>
__attribute__((noinline)) void TileCols(const uint16_t* a, int64_t a_row, int64_t a_pair, const uint16_t* b,
                                        int64_t pairs, bool half, bool first, float* sums, int64_t cols) {
  for (int at = 0; at < cols && at < kProductPanel; at += kTileCols)
    Tile<kRows, kVectors>(a, a_row, a_pair, b + 2 * at, pairs, half, first, sums + at);
}

// As many vectors as `cols` columns need, at most a panel's.
template <int kRows>
INLINE void TileRow(const uint16_t* a, int64_t a_row, int64_t a_pair, const uint16_t* b, int64_t pairs, bool half,
                    bool first, float* sums, int64_t cols) {
  static_assert(kTileVectors == 2 || kTileVectors == 4);
  if (kTileVectors == 4 && cols <= kLanes)
    return TileCols<kRows, 1>(a, a_row, a_pair, b, pairs, half, first, sums, cols);
  if (kTileVectors == 4 && cols <= 2 * kLanes)
    return TileCols<kRows, 2>(a, a_row, a_pair, b, pairs, half, first, sums, cols);
  TileCols<kRows, kTileVectors>(a, a_row, a_pair, b, pairs, half, first, sums, cols);
}

template <int kRows>
INLINE void TileRows(int64_t rows, const uint16_t* a, int64_t a_row, int64_t a_pair, const uint16_t* b, int64_t pairs,
                     bool half, bool first, float* sums, int64_t cols) {
  if (rows == kRows) return TileRow<kRows>(a, a_row, a_pair, b, pairs, half, first, sums, cols);
  if constexpr (kRows > 1) TileRows<kRows - 1>(rows, a, a_row, a_pair, b, pairs, half, first, sums, cols);
}

// What becomes of the sums of one row and panel; `n` of the panel's columns are there.
template <bool kFull>
INLINE void FinishRow(const Product& w, int64_t i, int64_t j, int64_t n, const float* sums) {
  constexpr int kVectors = kProductPanel / kLanes;
  const auto get = [n](const auto* from, int v) __attribute__((always_inline)) {
    return kFull ? Load(from + v * kLanes) : LoadPart(from + v * kLanes, n - v * kLanes);
  };
  const auto put = [n](auto* to, int v, Vec x) __attribute__((always_inline)) {
    return kFull ? Store(to + v * kLanes, x) : StorePart(to + v * kLanes, x, n - v * kLanes);
  };
  const int count = kFull ? kVectors : static_cast<int>((n + kLanes - 1) / kLanes);
  Vec x[kVectors];
  for (int v = 0; v < count; ++v) x[v] = Load(sums + v * kLanes);
  if (w.accumulate) {
    for (int v = 0; v < count; ++v) x[v] = x[v] + get(w.out + i * w.out_stride + j, v);
  }
  if (w.bias) {
    for (int v = 0; v < count; ++v) x[v] = x[v] + get(w.bias + j, v);
  }
  if (w.add16) {
    for (int v = 0; v < count; ++v) x[v] = x[v] + get(w.add16 + i * w.add16_stride + j, v);
  }
  if (w.add) {
    for (int v = 0; v < count; ++v) x[v] = x[v] + get(w.add + i * w.add_stride + j, v);
  }
  if (w.pre16) {
    for (int v = 0; v < count; ++v) put(w.pre16 + i * w.pre16_stride + j, v, x[v]);
  }
  if (w.act != Activation::kNone) {
    if (w.slope16) {
      for (int v = 0; v < count; ++v) x[v] = x[v] * Slope(w.act, get(w.slope16 + i * w.slope16_stride + j, v));
    } else {
      for (int v = 0; v < count; ++v) x[v] = Activate(w.act, x[v]);
    }
  }
  if (w.out) {
    for (int v = 0; v < count; ++v) put(w.out + i * w.out_stride + j, v, x[v]);
  }
  if (w.out16) {
    for (int v = 0; v < count; ++v) put(w.out16 + i * w.out16_stride + j, v, x[v]);
  }
}

void FinishTile(const Product& w, int64_t i, int64_t rows, int64_t j, const float* sums) {
  if (w.cols - j >= kProductPanel) {
    for (int64_t r = 0; r < rows; ++r) FinishRow<true>(w, i + r, j, kProductPanel, sums + r * kProductPanel);
  } else {
    for (int64_t r = 0; r < rows; ++r) FinishRow<false>(w, i + r, j, w.cols - j, sums + r * kProductPanel);
  }
}

// Asks for what the end of a tile will touch while its sums are still being made.
INLINE void FetchTile(const Product& w, int64_t i, int64_t rows, int64_t j) {
  for (int64_t r = i; r < i + rows; ++r) {
    if (w.out16) {
      __builtin_prefetch(w.out16 + r * w.out16_stride + j, 1);
      __builtin_prefetch(w.out16 + r * w.out16_stride + j + 32, 1);
    }
    if (w.pre16) {
      __builtin_prefetch(w.pre16 + r * w.pre16_stride + j, 1);
      __builtin_prefetch(w.pre16 + r * w.pre16_stride + j + 32, 1);
    }
    if (w.slope16) {
      __builtin_prefetch(w.slope16 + r * w.slope16_stride + j);
      __builtin_prefetch(w.slope16 + r * w.slope16_stride + j + 32);
    }
    if (w.out) {
      for (int c = 0; c < kProductPanel; c += 16) __builtin_prefetch(w.out + r * w.out_stride + j + c, 1);
    }
  }
}

// Where pairs have no instruction of their own (kWidens), taking them apart costs as much as the sums. So a block of
// both sides becomes f32 once for 64 rows by 64 columns, and tiles of f32 run over it: strips of kWideCols columns of
// B, of A rows as they are, or zipped ones [depth][64]. The order of a sum is that of Dot.
constexpr int64_t kWideDepth = 128;
constexpr int kWideCols = kWideVectors * kLanes;

// Strips [64 / kWideCols][depth][kWideCols] of a panel's pairs.
INLINE void WidenPanel(const uint16_t* b, int64_t pairs, int64_t cols, float* out) {
  for (int64_t c = 0; c < cols && c < kProductPanel; c += kLanes) {
    float* to = out + c / kWideCols * kWideDepth * kWideCols + c % kWideCols;
    for (int64_t p = 0; p < pairs; ++p) {
      Vec even, odd;
      UnzipPart(b + p * 2 * kProductPanel + 2 * c, kLanes, &even, &odd);
      Store(to + 2 * p * kWideCols, even);
      Store(to + (2 * p + 1) * kWideCols, odd);
    }
  }
}
INLINE void WidenRows(const uint16_t* a, int64_t stride, int64_t rows, int64_t depth, float* out) {
  for (int64_t r = 0; r < rows; ++r) {
    int64_t k = 0;
    for (; k + kLanes <= depth; k += kLanes) Store(out + r * kWideDepth + k, Load(a + r * stride + k));
    if (k < depth) StorePart(out + r * kWideDepth + k, LoadPart(a + r * stride + k, depth - k), depth - k);
  }
}
INLINE void WidenZipped(const uint16_t* a, int64_t rows, int64_t pairs, float* out) {
  for (int64_t p = 0; p < pairs; ++p) {
    for (int64_t r = 0; r < rows; r += kLanes) {
      Vec even, odd;
      UnzipPart(a + p * 2 * kGroup + 2 * r, kLanes, &even, &odd);
      Store(out + 2 * p * kGroup + r, even);
      Store(out + (2 * p + 1) * kGroup + r, odd);
    }
  }
}

template <int kRows, bool kZipped>
INLINE void WideTile(const float* a, const float* b, int64_t depth, bool first, float* sums) {
  constexpr int64_t kRow = kZipped ? 1 : kWideDepth, kStep = kZipped ? kGroup : 1;
  Vec s[kRows][kWideVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kWideVectors; ++v) s[r][v] = first ? Zero() : Load(sums + r * kProductPanel + v * kLanes);
  }
  const auto add = [&](int64_t k) __attribute__((always_inline)) {
    Vec strip[kWideVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kWideVectors; ++v) strip[v] = Load(b + k * kWideCols + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec x = Set(a[r * kRow + k * kStep]);
#pragma GCC unroll 8
      for (int v = 0; v < kWideVectors; ++v) s[r][v] = Fma(x, strip[v], s[r][v]);
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
    for (int v = 0; v < kWideVectors; ++v) Store(sums + r * kProductPanel + v * kLanes, s[r][v]);
  }
}

template <int kRows, bool kZipped>
INLINE void WideRows(int64_t rows, const float* a, const float* b, int64_t depth, bool first, float* sums) {
  if (rows == kRows) return WideTile<kRows, kZipped>(a, b, depth, first, sums);
  if constexpr (kRows > 1) WideRows<kRows - 1, kZipped>(rows, a, b, depth, first, sums);
}

// A group's sums with a panel's block.
template <bool kZipped>
__attribute__((noinline)) void WideBlock(const float* a, const float* b, int64_t rows, int64_t cols, int64_t depth,
                                         bool first, float* sums) {
  for (int64_t c = 0; c < cols && c < kProductPanel; c += kWideCols) {
    for (int64_t r = 0; r < rows; r += kWideRows) {
      WideRows<kWideRows, kZipped>(rows - r < kWideRows ? rows - r : kWideRows, a + r * (kZipped ? 1 : kWideDepth),
                                   b + c * kWideDepth, depth, first, sums + r * kProductPanel + c);
    }
  }
}

// A's pairs lie in rows, or are what Interleave made.
INLINE bool InRows(const Product& w) { return w.a_pair == 2; }
INLINE bool Zipped(const Product& w) { return w.a_row == 2 && w.a_pair == 2 * kProductPanel; }

// Fewer rows than these are not worth it.
constexpr int64_t kLeastWideRows = 16;
INLINE bool Widens(const Product& w, int64_t rows) {
  return kWidens && rows >= kLeastWideRows && (InRows(w) || Zipped(w));
}

// What becomes of a group's sums with a panel.
template <typename Finish>
INLINE void FinishGroup(int64_t row, int64_t rows, int64_t panel, const float* sums, const Finish& finish) {
  for (int64_t r = 0; r < rows; r += kTileRows) {
    finish(row + r, rows - r < kTileRows ? rows - r : kTileRows, panel * kProductPanel, sums + r * kProductPanel);
  }
}

// A block of the depth that is widened at once is at most so deep; panels whose blocks lie side by side in L2.
constexpr int64_t kWideWhole = 1024, kWideChunk = 16 * kProductPanel * kWideDepth;

INLINE int64_t WideBlocks(int64_t depth) { return (depth + kWideDepth - 1) / kWideDepth; }
INLINE int64_t WidePart(int64_t depth, int64_t k) { return depth - k < kWideDepth ? depth - k : kWideDepth; }

// Depth [begin, begin + depth) of panels [from, to), each block after block.
void WidenPanels(const Product& w, int64_t from, int64_t to, int64_t begin, int64_t depth, float* out) {
  const int64_t size = kProductPanel * kWideDepth;
  for (int64_t panel = from; panel < to; ++panel) {
    const uint16_t* b = w.b + panel * ((w.depth + 1) / 2) * 2 * kProductPanel + begin * kProductPanel;
    for (int64_t k = 0; k < depth; k += kWideDepth, out += size)
      WidenPanel(b + k * kProductPanel, (WidePart(depth, k) + 1) / 2, w.cols - panel * kProductPanel, out);
  }
}

// The rows of a group over that depth: [block][64][kWideDepth], or of zipped ones [depth][64].
template <bool kZipped>
INLINE void WidenGroup(const Product& w, int64_t row, int64_t rows, int64_t begin, int64_t depth, float* out) {
  const uint16_t* a = w.a + row / kProductPanel * w.a_block + row % kProductPanel * w.a_row;
  if (kZipped) return WidenZipped(a + begin / 2 * w.a_pair, rows, (depth + 1) / 2, out);
  for (int64_t k = 0; k < depth; k += kWideDepth)
    WidenRows(a + begin + k, w.a_row, rows, WidePart(depth, k), out + k * kGroup);
}

// Both sides are widened a few times at most: panels, as many as L2 holds, once; rows once for each such lot.
template <bool kZipped, typename Finish>
void MultiplyWide(const Product& w, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end,
                  int64_t begin, int64_t depth, const Finish& finish) {
  alignas(64) float sums[kGroup * kProductPanel], a[kGroup * kWideWhole], b[kWideChunk];
  const int64_t size = WideBlocks(depth) * kProductPanel * kWideDepth, lot = kWideChunk / size;
  for (int64_t from = panel_begin; from < panel_end; from += lot) {
    const int64_t to = panel_end - from < lot ? panel_end : from + lot;
    WidenPanels(w, from, to, begin, depth, b);
    for (int64_t row = row_begin; row < row_end; row += kGroup) {
      const int64_t rows = row_end - row < kGroup ? row_end - row : kGroup;
      WidenGroup<kZipped>(w, row, rows, begin, depth, a);
      for (int64_t panel = from; panel < to; ++panel) {
        for (int64_t k = 0; k < depth; k += kWideDepth) {
          WideBlock<kZipped>(a + k * kGroup, b + (panel - from) * size + k * kProductPanel, rows,
                             w.cols - panel * kProductPanel, WidePart(depth, k), k == 0, sums);
        }
        FinishGroup(row, rows, panel, sums, finish);
      }
    }
  }
}

template <typename Finish>
void MultiplyWideGroup(const Product& w, int64_t row, int64_t rows, int64_t panel, const Finish& finish) {
  alignas(64) float sums[kGroup * kProductPanel], a[kGroup * kWideDepth], b[kProductPanel * kWideDepth];
  const uint16_t* from = w.a + row / kProductPanel * w.a_block + row % kProductPanel * w.a_row;
  const uint16_t* panels = w.b + panel * ((w.depth + 1) / 2) * 2 * kProductPanel;
  const int64_t cols = w.cols - panel * kProductPanel;
  int64_t k = 0;
  do {
    const int64_t depth = WidePart(w.depth, k), pairs = (depth + 1) / 2;
    WidenPanel(panels + k * kProductPanel, pairs, cols, b);
    if (w.a_pair == 2) {
      WidenRows(from + k, w.a_row, rows, depth, a);
      WideBlock<false>(a, b, rows, cols, depth, k == 0, sums);
    } else {
      WidenZipped(from + k / 2 * w.a_pair, rows, pairs, a);
      WideBlock<true>(a, b, rows, cols, depth, k == 0, sums);
    }
    k += kWideDepth;
  } while (k < w.depth);
  FinishGroup(row, rows, panel, sums, finish);
}

// With tiles (tiles_amx.h) sums stay in them, and A has to lie in rows: what is zipped is turned block by block.
template <typename Finish>
void MultiplyTiles(const Product& w, int64_t row, int64_t rows, int64_t panel, const Finish& finish) {
  constexpr int64_t kBlock = kTileBlock;
  alignas(64) float sums[kGroup * kProductPanel];
  alignas(64) uint16_t turned[kGroup * kBlock];
  const uint16_t* a = w.a + row / kProductPanel * w.a_block + row % kProductPanel * w.a_row;
  const uint16_t* b = w.b + panel * ((w.depth + 1) / 2) * 2 * kProductPanel;
  const int64_t cols = w.cols - panel * kProductPanel;
  finish.Fetch(row, rows, panel * kProductPanel);
  int64_t k = 0;
  do {
    const int64_t depth = w.depth - k < kBlock ? w.depth - k : kBlock;
    if (InRows(w)) {
      TileSums(a + k, w.a_row, rows, depth, b + k * kProductPanel, cols, k == 0, sums, kProductPanel);
    } else {
      TurnZipped(a + k * kProductPanel, rows, depth, turned, kBlock);
      TileSums(turned, kBlock, WholeTiles(rows), depth, b + k * kProductPanel, cols, k == 0, sums, kProductPanel);
    }
    k += kBlock;
  } while (k < w.depth);
  FinishGroup(row, rows, panel, sums, finish);
}

// Gradients of weights with tiles: a block of A, turned once for all panels, adds to the sums where they lie, so that
// a block of B, which is many rows deep, stays in L2 while A passes.
INLINE bool OnlyAddsUp(const Product& w) {
  return w.out && !w.out16 && !w.bias && !w.add16 && !w.add && !w.pre16 && w.act == Activation::kNone;
}
void MultiplyZippedTiles(const Product& w, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
  constexpr int64_t kBlock = 1024;
  alignas(64) uint16_t turned[kGroup * kBlock];
  alignas(64) float sums[kGroup * kProductPanel];
  Product part = w;
  int64_t k = 0;
  do {
    const int64_t depth = w.depth - k < kBlock ? w.depth - k : kBlock;
    part.accumulate = w.accumulate || k > 0;
    for (int64_t row = row_begin; row < row_end; row += kGroup) {
      const int64_t rows = row_end - row < kGroup ? row_end - row : kGroup;
      TurnZipped(w.a + row / kProductPanel * w.a_block + k * kProductPanel, rows, depth, turned, kBlock);
      for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
        const uint16_t* b = w.b + panel * ((w.depth + 1) / 2) * 2 * kProductPanel + k * kProductPanel;
        const int64_t col = panel * kProductPanel, cols = w.cols - col;
        if (rows == kGroup && cols >= kProductPanel) {
          TileSums(turned, kBlock, rows, depth, b, kProductPanel, !part.accumulate, w.out + row * w.out_stride + col,
                   w.out_stride);
        } else {
          TileSums(turned, kBlock, WholeTiles(rows), depth, b, cols, true, sums, kProductPanel);
          FinishTile(part, row, rows, col, sums);
        }
      }
    }
    k += kBlock;
  } while (k < w.depth);
}

template <typename Finish>
void MultiplyGroup(const Product& w, int64_t row, int64_t rows, int64_t panel, const Finish& finish) {
  alignas(64) float sums[kGroup * kProductPanel];
  const int64_t whole = w.depth / 2, pairs = (w.depth + 1) / 2;
  const uint16_t* a = w.a + row / kProductPanel * w.a_block + row % kProductPanel * w.a_row;
  const uint16_t* b = w.b + panel * pairs * 2 * kProductPanel;
  const int64_t cols = w.cols - panel * kProductPanel;
  int64_t p = 0;
  do {
    const bool last = p + kDepthPairs >= pairs;
    const int64_t count = last ? whole - p : kDepthPairs;
    const bool half = last && pairs > whole;
    for (int64_t r = 0; r < rows; r += kTileRows) {
      const uint16_t* at = a + r * w.a_row + p * w.a_pair;
      const uint16_t* block = b + p * 2 * kProductPanel;
      float* tile = sums + r * kProductPanel;
      const int64_t left = rows - r < kTileRows ? rows - r : kTileRows;
      if (last) finish.Fetch(row + r, left, panel * kProductPanel);
      TileRows<kTileRows>(left, at, w.a_row, w.a_pair, block, count, half, p == 0, tile, cols);
      if (last) finish(row + r, left, panel * kProductPanel, tile);
    }
    p += kDepthPairs;
  } while (p < pairs);
}

template <typename Finish>
INLINE void MultiplyRange(const Product& w, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end,
                          const Finish& finish) {
  [[maybe_unused]] const TilesOn tiles;
  if (kWidens && InRows(w) && w.depth > 0 && w.depth <= kWideWhole && row_end - row_begin >= kLeastWideRows)
    return MultiplyWide<false>(w, row_begin, row_end, panel_begin, panel_end, 0, w.depth, finish);
  // Groups of rows that stay in L2 while the panels pass.
  int64_t stay = (384 << 10) / (2 * w.depth + 1) / kGroup * kGroup;
  stay = stay < kGroup ? kGroup : stay;
  for (int64_t begin = row_begin; begin < row_end; begin += stay) {
    const int64_t end = row_end - begin < stay ? row_end : begin + stay;
    for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
      for (int64_t row = begin; row < end; row += kGroup) {
        const int64_t rows = end - row < kGroup ? end - row : kGroup;
        if (kTiles && (InRows(w) || Zipped(w))) {
          MultiplyTiles(w, row, rows, panel, finish);
        } else if (Widens(w, rows)) {
          MultiplyWideGroup(w, row, rows, panel, finish);
        } else {
          MultiplyGroup(w, row, rows, panel, finish);
        }
      }
    }
  }
}

// What product.h promises to do with sums.
struct FinishProduct {
  const Product& w;

  INLINE void operator()(int64_t i, int64_t rows, int64_t j, const float* sums) const {
    FinishTile(w, i, rows, j, sums);
  }
  INLINE void Fetch(int64_t i, int64_t rows, int64_t j) const { FetchTile(w, i, rows, j); }
};

void Multiply(const Product* work, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end) {
  if (kTiles && Zipped(*work) && OnlyAddsUp(*work)) {
    [[maybe_unused]] const TilesOn tiles;
    return MultiplyZippedTiles(*work, row_begin, row_end, panel_begin, panel_end);
  }
  if (kWidens && Zipped(*work) && OnlyAddsUp(*work) && work->depth > 0) {
    Product part = *work;  // however few the rows: a range must not decide where a sum is cut
    for (int64_t k = 0; k < work->depth; k += kWideWhole, part.accumulate = true) {
      const int64_t depth = work->depth - k < kWideWhole ? work->depth - k : kWideWhole;
      MultiplyWide<true>(*work, row_begin, row_end, panel_begin, panel_end, k, depth, FinishProduct{part});
    }
    return;
  }
  MultiplyRange(*work, row_begin, row_end, panel_begin, panel_end, FinishProduct{*work});
}

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

void PackWeights(const float* w, int64_t stride, int64_t rows, int64_t cols, int64_t block_begin, int64_t block_end,
                 uint16_t* forward, uint16_t* backward) {
  const int64_t row_pairs = (rows + 1) / 2;
  for (int64_t block = block_begin; block < block_end; ++block) {
    const int64_t row = block * kProductPanel, count = rows - row < kProductPanel ? rows - row : kProductPanel;
    const float* from = w + row * stride;
    if (forward) PackTurned(w, stride, rows, cols, block, block + 1, forward);
    if (backward) {
      for (int64_t r = 0; r < count; r += 2) {
        const float *even = from + r * stride, *odd = r + 1 < count ? even + stride : nullptr;
        uint16_t* out = backward + (row + r) / 2 * 2 * kProductPanel;
        for (int64_t c = 0; c < Panels(cols) * kProductPanel; c += kLanes) {
          const int64_t n = cols - c < 0 ? 0 : cols - c;
          ZipPart(n ? even + c : nullptr, n && odd ? odd + c : nullptr, n,
                  out + c / kProductPanel * row_pairs * 2 * kProductPanel + c % kProductPanel * 2);
        }
      }
    }
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
