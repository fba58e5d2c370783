// Products on AMX (Intel's programming reference, chapter 3): tdpbf16ps adds to a tile of 16 by 16 sums what 16 rows of
// 32 numbers of A make with 16 pairs by 16 columns of B. Four such tiles, 32 by 32 sums, share two of A and two of B.
// Included after vector_avx512.h.

constexpr bool kTiles = true;
constexpr int64_t kTileSide = 16, kTileDepth = 32;  // sums; numbers of A's rows
constexpr int64_t kTileBlock = 512;                 // of a depth, taken at once
INLINE int64_t WholeTiles(int64_t rows) { return (rows + kTileSide - 1) / kTileSide * kTileSide; }

// Tiles of this thread, while it lives: 0..3 sums, 4 and 5 of A, 6 and 7 of B, all whole.
class TilesOn {
 public:
  INLINE TilesOn() {
    alignas(64) uint8_t config[64] = {1};  // the palette
    for (int i = 0; i < 8; ++i) {
      config[16 + 2 * i] = 64;  // bytes of a row
      config[48 + i] = 16;      // rows
    }
    asm volatile("" : : "m"(config) : "memory");
    _tile_loadconfig(config);
  }
  INLINE ~TilesOn() { _tile_release(); }
  TilesOn(const TilesOn&) = delete;
  TilesOn& operator=(const TilesOn&) = delete;
};

// 16 rows of A: where, how many bytes from one to the next, and how many numbers to those of the next depth.
struct TileOfA {
  const uint16_t* at;
  int64_t stride, step;
};

// sums (+)= A B over `steps` whole depths of a tile and, where there is one, a last of its own.
template <int kRows, int kCols>
INLINE void TileBlock(TileOfA a0, TileOfA a1, const uint16_t* b, int64_t steps, const uint16_t* a_last,
                      const uint16_t* b_last, bool first, float* sums, int64_t stride) {
  constexpr int64_t kBRow = 4 * kProductPanel;  // bytes of a pair's columns
  const auto sums_at = [&](int r, int c) __attribute__((always_inline)) {
    return sums + r * kTileSide * stride + c * kTileSide;
  };
  const auto step = [&](const uint16_t* top, int64_t top_stride, const uint16_t* low, int64_t low_stride,
                        const uint16_t* at) __attribute__((always_inline)) {
    _tile_loadd(4, top, top_stride);
    _tile_loadd(6, at, kBRow);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (kCols > 1) {
      _tile_loadd(7, at + 2 * kTileSide, kBRow);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (kRows > 1) {
      _tile_loadd(5, low, low_stride);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (kCols > 1) _tile_dpbf16ps(3, 5, 7);
    }
  };
  if (first) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  } else {
    _tile_loadd(0, sums_at(0, 0), 4 * stride);
    if constexpr (kCols > 1) _tile_loadd(1, sums_at(0, 1), 4 * stride);
    if constexpr (kRows > 1) _tile_loadd(2, sums_at(1, 0), 4 * stride);
    if constexpr (kRows > 1 && kCols > 1) _tile_loadd(3, sums_at(1, 1), 4 * stride);
  }
  for (int64_t s = 0; s < steps; ++s) {
    step(a0.at + s * a0.step, a0.stride, a1.at + s * a1.step, a1.stride, b + s * kTileDepth * kProductPanel);
  }
  if (a_last) step(a_last, 2 * kTileDepth, a_last + kTileSide * kTileDepth, 2 * kTileDepth, b_last);
  _tile_stored(0, sums_at(0, 0), 4 * stride);
  if constexpr (kCols > 1) _tile_stored(1, sums_at(0, 1), 4 * stride);
  if constexpr (kRows > 1) _tile_stored(2, sums_at(1, 0), 4 * stride);
  if constexpr (kRows > 1 && kCols > 1) _tile_stored(3, sums_at(1, 1), 4 * stride);
}

// Tile by tile: tile(r) has the rows of A from r on.
template <typename TileAt>
INLINE void TileGrid(const TileAt& tile, int64_t rows, int64_t cols, int64_t steps, const uint16_t* b,
                     const uint16_t* a_last, const uint16_t* b_last, bool first, float* sums, int64_t stride) {
  for (int64_t r = 0; r < rows; r += 2 * kTileSide) {
    const TileOfA a0 = tile(r), a1 = tile(r + kTileSide);
    const uint16_t* last = a_last ? a_last + r * kTileDepth : nullptr;
    for (int64_t c = 0; c < cols && c < kProductPanel; c += 2 * kTileSide) {
      const uint16_t *at = b + 2 * c, *end = b_last + 2 * c;
      float* to = sums + r * stride + c;
      const bool low = rows - r > kTileSide, right = cols - c > kTileSide;
      if (low && right) {
        TileBlock<2, 2>(a0, a1, at, steps, last, end, first, to, stride);
      } else if (low) {
        TileBlock<2, 1>(a0, a1, at, steps, last, end, first, to, stride);
      } else if (right) {
        TileBlock<1, 2>(a0, a1, at, steps, last, end, first, to, stride);
      } else {
        TileBlock<1, 1>(a0, a1, at, steps, last, end, first, to, stride);
      }
    }
  }
}

// The pairs behind the last whole depth of a tile, and zeros.
INLINE void LastOfB(const uint16_t* b, int64_t depth, uint16_t* last) {
  const int64_t steps = depth / kTileDepth, left = depth % kTileDepth;
  const uint16_t* from = b + steps * kTileDepth * kProductPanel;
  for (int64_t i = 0; i < kTileDepth * kProductPanel; i += 32) {
    const bool there = i < (left + 1) / 2 * 2 * kProductPanel;
    _mm512_store_si512(last + i, there ? _mm512_loadu_si512(from + i) : _mm512_setzero_si512());
  }
}

// TileSums over a depth that is at most kTileBlock where `rows` is no multiple of 16.
INLINE void TileBlockSums(const uint16_t* a, int64_t a_row, int64_t rows, int64_t depth, const uint16_t* b,
                          int64_t cols, bool first, float* sums, int64_t stride) {
  alignas(64) uint16_t part[kTileSide * kTileBlock];        // the rows of a tile that has fewer
  alignas(64) uint16_t a_last[kProductPanel * kTileDepth];  // the depth that is no whole tile's
  alignas(64) uint16_t b_last[kTileDepth * kProductPanel];
  const int64_t steps = depth / kTileDepth, left = depth % kTileDepth, whole_rows = rows / kTileSide * kTileSide;
  const __m512i zero = _mm512_setzero_si512();
  if (left > 0) {
    const __mmask32 mask = (1u << left) - 1;
    for (int64_t r = 0; r < kProductPanel; ++r) {
      const uint16_t* from = a + r * a_row + steps * kTileDepth;
      _mm512_store_si512(a_last + r * kTileDepth, r < rows ? _mm512_maskz_loadu_epi16(mask, from) : zero);
    }
    LastOfB(b, depth, b_last);
  }
  if (whole_rows < rows) {
    for (int64_t r = 0; r < kTileSide; ++r) {
      for (int64_t k = 0; k < steps * kTileDepth; k += kTileDepth) {
        const uint16_t* from = a + (whole_rows + r) * a_row + k;
        _mm512_store_si512(part + r * kTileBlock + k, whole_rows + r < rows ? _mm512_loadu_si512(from) : zero);
      }
    }
  }
  asm volatile("" : : : "memory");  // tiles read what was stored here
  const auto tile = [&](int64_t r) __attribute__((always_inline)) {
    return r < whole_rows ? TileOfA{a + r * a_row, 2 * a_row, kTileDepth} : TileOfA{part, 2 * kTileBlock, kTileDepth};
  };
  TileGrid(tile, rows, cols, steps, b, left > 0 ? a_last : nullptr, b_last, first, sums, stride);
}

// Of at most 64 rows of A with a panel's 64 columns, or `cols` if they are fewer, over `depth` numbers from a panel's
// `b` on: sums by `stride`, of which all that whole tiles have must be there. REQUIRES: TilesOn.
INLINE void TileSums(const uint16_t* a, int64_t a_row, int64_t rows, int64_t depth, const uint16_t* b, int64_t cols,
                     bool first, float* sums, int64_t stride) {
  const int64_t block = rows % kTileSide == 0 ? depth : kTileBlock;
  int64_t k = 0;
  do {
    TileBlockSums(a + k, a_row, rows, depth - k < block ? depth - k : block, b + k * kProductPanel, cols,
                  first && k == 0, sums, stride);
    k += block;
  } while (k < depth);
}

// Rows of A tile by tile: [depth / 32, rounded up][64][32], zeros where there is nothing.
INLINE int64_t CopiedTiles(int64_t depth) { return (depth + kTileDepth - 1) / kTileDepth * kTileDepth * kProductPanel; }
INLINE void CopyTiles(const uint16_t* a, int64_t a_row, int64_t rows, int64_t depth, uint16_t* out) {
  const __m512i zero = _mm512_setzero_si512();
  for (int64_t r = 0; r < kProductPanel; ++r) {
    const uint16_t* from = a + r * a_row;
    for (int64_t k = 0; k < depth; k += kTileDepth) {
      const __mmask32 mask = depth - k < kTileDepth ? (1u << (depth - k)) - 1 : 0xffffffffu;
      _mm512_store_si512(out + k * kProductPanel + r * kTileDepth,
                         r < rows ? _mm512_maskz_loadu_epi16(mask, from + k) : zero);
    }
  }
}
// TileSums of rows that CopyTiles left, over their whole depth.
INLINE void CopiedTileSums(const uint16_t* a, int64_t rows, int64_t depth, const uint16_t* b, int64_t cols,
                           float* sums) {
  alignas(64) uint16_t b_last[kTileDepth * kProductPanel];
  const int64_t steps = depth / kTileDepth, left = depth % kTileDepth;
  if (left > 0) LastOfB(b, depth, b_last);
  asm volatile("" : : : "memory");  // tiles read what was stored here
  const auto tile = [&](int64_t r) __attribute__((always_inline)) {
    return TileOfA{a + r * kTileDepth, 2 * kTileDepth, kTileDepth * kProductPanel};
  };
  TileGrid(tile, rows, cols, steps, b, left > 0 ? a + steps * kTileDepth * kProductPanel : nullptr, b_last, true, sums,
           kProductPanel);
}

// What is zipped, [depth / 2][64][2], as rows of `stride` numbers: `rows` of them and those that end the last 16, with
// zeros up to a depth that is a multiple of 32.
INLINE void TurnZipped(const uint16_t* zipped, int64_t rows, int64_t depth, uint16_t* out, int64_t stride) {
  const int64_t pairs = (depth + 1) / 2;
  for (int64_t p = 0; p < pairs; p += kTileSide) {
    for (int64_t r = 0; r < rows; r += kTileSide) {
      Turn(zipped + 2 * (p * kProductPanel + r), 2 * kProductPanel, pairs - p, 2 * kTileSide, kTileSide,
           out + r * stride + 2 * p, stride);
    }
  }
}
