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

// Of a row of `n` numbers; by itself, so that the rest of FinishRow keeps them in registers.
template <bool kFull>
__attribute__((noinline)) void ActivateRow(Activation act, const uint16_t* slope, int64_t n, float* row) {
  for (int64_t c = 0; c < n; c += kLanes) {
    const Vec x = Load(row + c);
    Vec y;
    if (slope) {
      y = x * Slope(act, kFull ? Load(slope + c) : LoadPart(slope + c, n - c));
    } else {
      y = Activate(act, x);
    }
    Store(row + c, y);
  }
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
  const auto each = [n](const auto& body) __attribute__((always_inline)) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      if (kFull || v * kLanes < n) body(v);
    }
  };
  Vec x[kVectors];
  each([&](int v) __attribute__((always_inline)) { x[v] = Load(sums + v * kLanes); });
  const auto add = [&](const auto* from) __attribute__((always_inline)) {
    each([&](int v) __attribute__((always_inline)) { x[v] = x[v] + get(from, v); });
  };
  if (w.accumulate) add(w.out + i * w.out_stride + j);
  if (w.bias) add(w.bias + j);
  if (w.add16) add(w.add16 + i * w.add16_stride + j);
  if (w.add) add(w.add + i * w.add_stride + j);
  if (w.pre16) each([&](int v) __attribute__((always_inline)) { put(w.pre16 + i * w.pre16_stride + j, v, x[v]); });
  if (w.act != Activation::kNone) {
    alignas(64) float row[kProductPanel];
    each([&](int v) __attribute__((always_inline)) { Store(row + v * kLanes, x[v]); });
    ActivateRow<kFull>(w.act, w.slope16 ? w.slope16 + i * w.slope16_stride + j : nullptr, n, row);
    each([&](int v) __attribute__((always_inline)) { x[v] = Load(row + v * kLanes); });
  }
  if (w.out) each([&](int v) __attribute__((always_inline)) { put(w.out + i * w.out_stride + j, v, x[v]); });
  if (w.out16) each([&](int v) __attribute__((always_inline)) { put(w.out16 + i * w.out16_stride + j, v, x[v]); });
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

// A's pairs lie in rows, or are what Interleave made.
INLINE bool InRows(const Product& w) { return w.a_pair == 2; }
INLINE bool Zipped(const Product& w) { return w.a_row == 2 && w.a_pair == 2 * kProductPanel; }

// Where pairs have no quick instruction of their own (kConverts), taking them apart costs as much as the sums. So a
// block of both sides takes the form of blocks_*.h once for 64 rows by 64 columns, and tiles of that run over it.
//
// Products of fewer rows than kLeastRows are not worth it, where that changes no bit.
INLINE bool Converts(const Product& w) { return kConverts && w.rows >= kLeastRows && (InRows(w) || Zipped(w)); }

// What becomes of a group's sums with a panel.
template <typename Finish>
INLINE void FinishGroup(int64_t row, int64_t rows, int64_t panel, const float* sums, const Finish& finish) {
  for (int64_t r = 0; r < rows; r += kTileRows) {
    finish(row + r, rows - r < kTileRows ? rows - r : kTileRows, panel * kProductPanel, sums + r * kProductPanel);
  }
}

// A group's pairs from depth `begin`, and a panel's.
INLINE const uint16_t* GroupAt(const Product& w, int64_t row, int64_t begin) {
  return w.a + row / kProductPanel * w.a_block + row % kProductPanel * w.a_row + begin / 2 * w.a_pair;
}
INLINE const uint16_t* PanelAt(const uint16_t* b, int64_t depth, int64_t panel, int64_t begin) {
  return b + panel * ((depth + 1) / 2) * 2 * kProductPanel + begin * kProductPanel;
}
INLINE const uint16_t* PanelAt(const Product& w, int64_t panel, int64_t begin) {
  return PanelAt(w.b, w.depth, panel, begin);
}

// A block of both sides that blocks_*.h does not take, pair by pair.
__attribute__((noinline)) void PairSums(const Product& w, int64_t row, int64_t rows, int64_t panel, int64_t begin,
                                        int64_t depth, bool first, float* sums) {
  const uint16_t *a = GroupAt(w, row, begin), *b = PanelAt(w, panel, begin);
  for (int64_t r = 0; r < rows; r += kTileRows) {
    TileRows<kTileRows>(rows - r < kTileRows ? rows - r : kTileRows, a + r * w.a_row, w.a_row, w.a_pair, b, depth / 2,
                        depth % 2 != 0, first, sums + r * kProductPanel, w.cols - panel * kProductPanel);
  }
}

// How much of the depth of a group is converted at once (256 KB); blocks of panels that lie side by side in L2.
constexpr int64_t kMostDepth = 4096 / sizeof(BlockNumber), kMostBlocks = 16;
constexpr int64_t kBlockSize = kProductPanel * kBlockDepth;

INLINE int64_t Blocks(int64_t depth) { return (depth + kBlockDepth - 1) / kBlockDepth; }
INLINE int64_t BlockPart(int64_t depth, int64_t k) { return depth - k < kBlockDepth ? depth - k : kBlockDepth; }

// Panels that were converted for many products' ranges at once (Product::blocks), one after the other: numbers, scales
// and whether each block was taken.
struct PanelBlock {
  BlockNumber* numbers;
  float* scales;
  char* taken;
};
INLINE int64_t PanelBytes(int64_t depth) {
  const int64_t blocks = Blocks(depth), number = static_cast<int64_t>(sizeof(BlockNumber));
  return blocks * (kBlockSize * number + kProductPanel * 4) + (blocks + 63) / 64 * 64;
}
INLINE PanelBlock BlockOf(void* all, int64_t depth, int64_t panel, int64_t block) {
  const int64_t blocks = Blocks(depth);
  char* at = static_cast<char*>(all) + panel * PanelBytes(depth);
  auto* numbers = reinterpret_cast<BlockNumber*>(at);
  auto* scales = reinterpret_cast<float*>(numbers + blocks * kBlockSize);
  return {numbers + block * kBlockSize, scales + block * kProductPanel,
          reinterpret_cast<char*>(scales + blocks * kProductPanel) + block};
}
int64_t BlocksBytes(int64_t cols, int64_t depth) { return Panels(cols) * PanelBytes(depth); }
void TakeBlocks(const uint16_t* b, int64_t cols, int64_t depth, int64_t panel_begin, int64_t panel_end, int64_t begin,
                int64_t end, void* out) {
  for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
    for (int64_t k = begin / kBlockDepth * kBlockDepth; k < end; k += kBlockDepth) {
      const int64_t j = k / kBlockDepth;
      const PanelBlock to = BlockOf(out, depth, panel, j);
      *to.taken = TakePanel(PanelAt(b, depth, panel, k), (BlockPart(depth, k) + 1) / 2, cols - panel * kProductPanel,
                            to.numbers, to.scales);
    }
  }
}

template <bool kZipped>
INLINE bool TakeGroup(const Product& w, int64_t row, int64_t rows, int64_t begin, int64_t depth, BlockNumber* out,
                      float* scales) {
  const uint16_t* a = GroupAt(w, row, begin);
  return kZipped ? TakeZipped(a, rows, (depth + 1) / 2, out, scales) : TakeRows(a, w.a_row, rows, depth, out, scales);
}

// Depth [begin, begin + depth), at most kMostDepth. Both sides are converted a few times at most: panels, as many as L2
// holds, once; rows once for each such lot.
template <bool kZipped, typename Finish>
void MultiplyConverted(const Product& w, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end,
                       int64_t begin, int64_t depth, const Finish& finish) {
  constexpr int64_t kMost = kMostDepth / kBlockDepth;
  alignas(64) float sums[kGroup * kProductPanel], a_scales[kMost * kGroup], b_scales[kMostBlocks * kProductPanel];
  alignas(64) BlockNumber a[kMost * kBlockSize], b[kMostBlocks * kBlockSize];
  bool a_taken[kMost];
  char b_taken[kMostBlocks];
  const int64_t blocks = Blocks(depth), lot = w.blocks ? panel_end - panel_begin : kMostBlocks / blocks;
  for (int64_t from = panel_begin; from < panel_end; from += lot) {
    const int64_t to = panel_end - from < lot ? panel_end : from + lot;
    for (int64_t panel = from, i = 0; panel < to && !w.blocks; ++panel) {
      for (int64_t k = 0; k < depth; k += kBlockDepth, ++i) {
        b_taken[i] = TakePanel(PanelAt(w, panel, begin + k), (BlockPart(depth, k) + 1) / 2,
                               w.cols - panel * kProductPanel, b + i * kBlockSize, b_scales + i * kProductPanel);
      }
    }
    for (int64_t row = row_begin; row < row_end; row += kGroup) {
      const int64_t rows = row_end - row < kGroup ? row_end - row : kGroup;
      for (int64_t j = 0; j < blocks; ++j) {
        const int64_t k = j * kBlockDepth;
        a_taken[j] =
            TakeGroup<kZipped>(w, row, rows, begin + k, BlockPart(depth, k), a + j * kBlockSize, a_scales + j * kGroup);
      }
      for (int64_t panel = from, i = 0; panel < to; ++panel) {
        for (int64_t j = 0; j < blocks; ++j, ++i) {
          const int64_t k = j * kBlockDepth, part = BlockPart(depth, k);
          const PanelBlock block = w.blocks ? BlockOf(w.blocks, w.depth, panel, begin / kBlockDepth + j)
                                            : PanelBlock{b + i * kBlockSize, b_scales + i * kProductPanel, b_taken + i};
          if (a_taken[j] && *block.taken) {
            BlockSums<kZipped>(a + j * kBlockSize, a_scales + j * kGroup, block.numbers, block.scales, rows,
                               w.cols - panel * kProductPanel, part, j == 0, sums);
          } else {
            PairSums(w, row, rows, panel, begin + k, part, j == 0, sums);
          }
        }
        FinishGroup(row, rows, panel, sums, finish);
      }
    }
  }
}

// The whole depth, block by block.
template <bool kZipped, typename Finish>
void MultiplyDeepGroup(const Product& w, int64_t row, int64_t rows, int64_t panel, const Finish& finish) {
  alignas(64) float sums[kGroup * kProductPanel], a_scales[kGroup], b_scales[kProductPanel];
  alignas(64) BlockNumber a[kBlockSize], b[kBlockSize];
  const int64_t cols = w.cols - panel * kProductPanel;
  int64_t k = 0;
  do {
    const int64_t depth = BlockPart(w.depth, k);
    char b_taken = 0;
    PanelBlock block{b, b_scales, &b_taken};
    if (w.blocks) {
      block = BlockOf(w.blocks, w.depth, panel, k / kBlockDepth);
    } else {
      b_taken = TakePanel(PanelAt(w, panel, k), (depth + 1) / 2, cols, b, b_scales);
    }
    if (*block.taken && TakeGroup<kZipped>(w, row, rows, k, depth, a, a_scales)) {
      BlockSums<kZipped>(a, a_scales, block.numbers, block.scales, rows, cols, depth, k == 0, sums);
    } else {
      PairSums(w, row, rows, panel, k, depth, k == 0, sums);
    }
    k += kBlockDepth;
  } while (k < w.depth);
  FinishGroup(row, rows, panel, sums, finish);
}

// With tiles (tiles_amx.h) sums stay in them, and A has to lie in rows: what is zipped is turned block by block.
template <typename Finish>
void MultiplyTiles(const Product& w, int64_t row, int64_t rows, int64_t panel, const Finish& finish) {
  constexpr int64_t kBlock = kTileBlock;
  alignas(64) float sums[kGroup * kProductPanel];
  alignas(64) uint16_t turned[kGroup * kBlock];
  const int64_t cols = w.cols - panel * kProductPanel;
  finish.Fetch(row, rows, panel * kProductPanel);
  int64_t k = 0;
  do {
    const int64_t depth = w.depth - k < kBlock ? w.depth - k : kBlock;
    const uint16_t *a = GroupAt(w, row, k), *b = PanelAt(w, panel, k);
    if (InRows(w)) {
      TileSums(a, w.a_row, rows, depth, b, cols, k == 0, sums, kProductPanel);
    } else {
      TurnZipped(a, rows, depth, turned, kBlock);
      TileSums(turned, kBlock, WholeTiles(rows), depth, b, cols, k == 0, sums, kProductPanel);
    }
    k += kBlock;
  } while (k < w.depth);
  FinishGroup(row, rows, panel, sums, finish);
}

// With tiles, rows that many panels meet are copied tile by tile first: as they lie, a power of two apart, those of a
// tile push each other out of L1.
constexpr int64_t kMostCopied = 192 << 10, kLeastPanels = 4;
template <typename Finish>
__attribute__((noinline)) void MultiplyCopiedTiles(const Product& w, int64_t row_begin, int64_t row_end,
                                                   int64_t panel_begin, int64_t panel_end, const Finish& finish) {
  alignas(64) uint16_t copies[kMostCopied];
  alignas(64) float sums[kGroup * kProductPanel];
  const int64_t size = CopiedTiles(w.depth), stay = kMostCopied / size * kGroup;
  for (int64_t begin = row_begin; begin < row_end; begin += stay) {
    const int64_t end = row_end - begin < stay ? row_end : begin + stay;
    const auto copy_of = [&](int64_t row) __attribute__((always_inline)) {
      return copies + (row - begin) / kGroup * size;
    };
    const auto rows_of = [&](int64_t row) __attribute__((always_inline)) {
      return end - row < kGroup ? end - row : kGroup;
    };
    for (int64_t row = begin; row < end; row += kGroup)
      CopyTiles(GroupAt(w, row, 0), w.a_row, rows_of(row), w.depth, copy_of(row));
    for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
      for (int64_t row = begin; row < end; row += kGroup) {
        finish.Fetch(row, rows_of(row), panel * kProductPanel);
        CopiedTileSums(copy_of(row), rows_of(row), w.depth, PanelAt(w, panel, 0), w.cols - panel * kProductPanel, sums);
        FinishGroup(row, rows_of(row), panel, sums, finish);
      }
    }
  }
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
      TurnZipped(GroupAt(w, row, k), rows, depth, turned, kBlock);
      for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
        const uint16_t* b = PanelAt(w, panel, k);
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
  const int64_t cols = w.cols - panel * kProductPanel;
  int64_t p = 0;
  do {
    const bool last = p + kDepthPairs >= pairs;
    const int64_t count = last ? whole - p : kDepthPairs;
    const bool half = last && pairs > whole;
    const uint16_t *a = GroupAt(w, row, 2 * p), *b = PanelAt(w, panel, 2 * p);
    for (int64_t r = 0; r < rows; r += kTileRows) {
      float* tile = sums + r * kProductPanel;
      const int64_t left = rows - r < kTileRows ? rows - r : kTileRows;
      if (last) finish.Fetch(row + r, left, panel * kProductPanel);
      TileRows<kTileRows>(left, a + r * w.a_row, w.a_row, w.a_pair, b, count, half, p == 0, tile, cols);
      if (last) finish(row + r, left, panel * kProductPanel, tile);
    }
    p += kDepthPairs;
  } while (p < pairs);
}

template <typename Finish>
INLINE void MultiplyRange(const Product& w, int64_t row_begin, int64_t row_end, int64_t panel_begin, int64_t panel_end,
                          const Finish& finish) {
  [[maybe_unused]] const TilesOn tiles;
  if (Converts(w) && InRows(w) && w.depth > 0 && w.depth <= kMostDepth)
    return MultiplyConverted<false>(w, row_begin, row_end, panel_begin, panel_end, 0, w.depth, finish);
  if (kTiles && InRows(w) && w.depth > 0 && CopiedTiles(w.depth) <= kMostCopied &&
      panel_end - panel_begin >= kLeastPanels)
    return MultiplyCopiedTiles(w, row_begin, row_end, panel_begin, panel_end, finish);
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
        } else if (Converts(w)) {
          InRows(w) ? MultiplyDeepGroup<false>(w, row, rows, panel, finish)
                    : MultiplyDeepGroup<true>(w, row, rows, panel, finish);
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
  if (Converts(*work) && Zipped(*work) && OnlyAddsUp(*work) && work->depth > 0) {
    Product part = *work;
    for (int64_t k = 0; k < work->depth; k += kMostDepth, part.accumulate = true) {
      const int64_t depth = work->depth - k < kMostDepth ? work->depth - k : kMostDepth;
      MultiplyConverted<true>(*work, row_begin, row_end, panel_begin, panel_end, k, depth, FinishProduct{part});
    }
    return;
  }
  MultiplyRange(*work, row_begin, row_end, panel_begin, panel_end, FinishProduct{*work});
}
