// Attention (attention.h) for any set of instructions. Included after product-inl.h.

constexpr int64_t kTile = kProductPanel;  // queries and keys of a tile
static_assert(kTile == kDropoutChunk);    // a row of a tile is a chunk of random numbers

// Sums of a group of at most 64 rows and `cols` columns of one panel: [rows, 64]. What the causal rule forbids is left
// out tile by tile: reach(r, n) says of rows [r, r + n) which pairs count and how many columns.
struct Reach {
  int64_t pair_begin, pair_end, cols;
};
template <typename ReachOf>
INLINE void MultiplyTile(const uint16_t* a, int64_t a_row, int64_t a_pair, const uint16_t* b, int64_t rows, bool first,
                         float* sums, const ReachOf& reach_of) {
  if constexpr (kTiles) {
    constexpr int64_t kRows = 16;
    alignas(64) uint16_t turned[kRows * kTile];
    for (int64_t r = 0; r < rows; r += kRows) {
      const int64_t n = rows - r < kRows ? rows - r : kRows;
      const Reach reach = reach_of(r, n);
      if (reach.pair_begin >= reach.pair_end || reach.cols <= 0) continue;
      const uint16_t* at = a + r * a_row + reach.pair_begin * a_pair;
      const int64_t depth = 2 * (reach.pair_end - reach.pair_begin);
      const uint16_t* panel = b + reach.pair_begin * 2 * kTile;
      float* to = sums + r * kTile;
      if (a_pair == 2) {
        TileSums(at, a_row, n, depth, panel, reach.cols, first, to, kTile);
      } else {
        TurnZipped(at, n, depth, turned, kTile);
        TileSums(turned, kTile, kRows, depth, panel, reach.cols, first, to, kTile);
      }
    }
    return;
  }
  for (int64_t r = 0; r < rows; r += kTileRows) {
    const int64_t n = rows - r < kTileRows ? rows - r : kTileRows;
    const Reach reach = reach_of(r, n);
    if (reach.pair_begin >= reach.pair_end || reach.cols <= 0) continue;
    TileRows<kTileRows>(n, a + r * a_row + reach.pair_begin * a_pair, a_row, a_pair, b + reach.pair_begin * 2 * kTile,
                        reach.pair_end - reach.pair_begin, false, first, sums + r * kTile, reach.cols);
  }
}

// Hands out stretches of a workspace.
struct Stretches {
  char* at;

  INLINE uint16_t* Brains(int64_t n) {
    char* mine = at;
    at += 2 * n;
    return reinterpret_cast<uint16_t*>(mine);
  }
  INLINE float* Floats(int64_t n) {
    char* mine = at;
    at += 4 * n;
    return reinterpret_cast<float*>(mine);
  }
};

// One unit's place in the whole.
struct Unit {
  int64_t q_begin, queries, k_begin, keys, kv_head, total_queries;

  INLINE Unit(const FlashAttention& w, int64_t unit) {
    const int64_t sequence = unit / w.kv_heads;
    kv_head = unit % w.kv_heads;
    q_begin = w.q_starts[sequence], queries = w.q_starts[sequence + 1] - q_begin;
    k_begin = w.k_starts[sequence], keys = w.k_starts[sequence + 1] - k_begin;
    total_queries = w.q_starts[w.sequences];
  }
  // The keys that query i sees.
  INLINE int64_t Seen(const FlashAttention& w, int64_t i) const {
    if (!w.causal) return keys;
    const int64_t seen = i + 1 + keys - queries;
    return seen < 0 ? 0 : seen < keys ? seen : keys;
  }
};

// Which probabilities of query i's row of a tile dropout leaves.
INLINE void KeptOf(const FlashAttention& w, const Unit& u, int64_t head, int64_t i, int64_t j, Mask* kept) {
  KeptOf(*w.dropout, ((u.q_begin + i) * w.heads + head) * kAttentionNumbers + j, kept);
}

// The scores of 64 queries and 64 keys become exponentials in bf16, without those that are dropped; the output so far
// is brought under the new greatest score.
template <bool kDrops>
INLINE void SoftmaxTile(const FlashAttention& w, const Unit& u, int64_t head, int64_t i, int64_t rows, int64_t j,
                        const float* scores, uint16_t* e, float* out, float* greatest, float* sums) {
  constexpr int kVectors = kTile / kLanes;
  const Vec scale = Set(w.scale);
  const int64_t panels = Panels(w.head_dim);
  for (int64_t r = 0; r < rows; ++r, scores += kTile, e += kTile) {
    const int64_t seen = u.Seen(w, i + r) - j;
    Vec x[kVectors];
    Vec top = Set(greatest[r]);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      if (v * kLanes >= seen) break;
      x[v] = Load(scores + v * kLanes) * scale;
      if (seen < kTile) x[v] = BlendPart(x[v], Set(-__builtin_inff()), seen - v * kLanes);
      top = Max(top, x[v]);
    }
    const float now = MaxLanes(top);
    Vec sum = Zero();
    top = Set(now);
    Mask kept[kVectors];
    if constexpr (kDrops) KeptOf(w, u, head, i + r, j, kept);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      Vec y = Zero();
      if (v * kLanes < seen) y = Exp(x[v] - top);
      sum = sum + y;
      if constexpr (kDrops) y = Choose(kept[v], y, Zero());
      Store(e + v * kLanes, y);
    }
    float total = SumLanes(sum);
    if (now != greatest[r]) {
      const Vec less = Exp(Set(greatest[r] - now));
      total = __builtin_fmaf(sums[r], FirstLane(less), total);
      for (int64_t p = 0; p < panels; ++p) {
        float* row = out + p * kTile * kTile + r * kTile;
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) Store(row + v * kLanes, Load(row + v * kLanes) * less);
      }
      greatest[r] = now;
    } else {
      total += sums[r];
    }
    sums[r] = total;
  }
}

template <bool kDrops>
void AttendForwardUnits(const FlashAttention& w, int64_t unit_begin, int64_t unit_end, void* workspace) {
  const float keep = kDrops ? KeptScale(*w.dropout) : 1;
  const int64_t dim = w.head_dim, panels = Panels(dim), group = w.heads / w.kv_heads;
  [[maybe_unused]] const TilesOn tiles;
  for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
    const Unit u(w, unit);
    const int64_t key_pairs = (u.keys + 1) / 2;
    Stretches space{static_cast<char*>(workspace)};
    float* scores = space.Floats(kTile * kTile);
    float* sum = space.Floats(kTile * panels * kTile);
    uint16_t* e = space.Brains(kTile * kTile);
    uint16_t* turned = space.Brains(Panels(u.keys) * kTile * dim);
    uint16_t* values = space.Brains(2 * key_pairs * panels * kTile);
    PackTurned(w.k + u.k_begin * w.k_stride + u.kv_head * dim, w.k_stride, u.keys, dim, 0, Panels(u.keys), turned);
    Interleave(w.v + u.k_begin * w.v_stride + u.kv_head * dim, w.v_stride, u.keys, dim, 0, panels, values, nullptr);
    for (int64_t head = u.kv_head * group; head < (u.kv_head + 1) * group; ++head) {
      for (int64_t i = 0; i < u.queries; i += kTile) {
        const int64_t rows = u.queries - i < kTile ? u.queries - i : kTile, seen = u.Seen(w, i + rows - 1);
        const uint16_t* q = w.q + (u.q_begin + i) * w.q_stride + head * dim;
        float greatest[kTile], sums[kTile];
        for (int64_t r = 0; r < rows; ++r) greatest[r] = -3e38f, sums[r] = 0;
        for (int64_t c = 0; c < panels * kTile * kTile; c += kLanes) Store(sum + c, Zero());
        for (int64_t j = 0; j < seen; j += kTile) {
          const int64_t keys = u.keys - j < kTile ? u.keys - j : kTile;
          // Rows that end at r + n see the keys before `seen_by` of this tile.
          const auto seen_by = [&](int64_t end) __attribute__((always_inline)) {
            const int64_t n = u.Seen(w, i + end - 1) - j;
            return n < keys ? n : keys;
          };
          MultiplyTile(q, w.q_stride, 2, turned + j * dim, rows, true, scores, [&](int64_t r, int64_t n) {
            return Reach{0, dim / 2, seen_by(r + n)};
          });
          SoftmaxTile<kDrops>(w, u, head, i, rows, j, scores, e, sum, greatest, sums);
          for (int64_t p = 0; p < panels; ++p) {
            MultiplyTile(e, kTile, 2, values + (p * key_pairs + j / 2) * 2 * kTile, rows, false,
                         sum + p * kTile * kTile, [&](int64_t r, int64_t n) {
                           return Reach{0, (seen_by(r + n) + 1) / 2, dim - p * kTile};
                         });
          }
        }
        for (int64_t r = 0; r < rows; ++r) {
          uint16_t* out = w.out + (u.q_begin + i + r) * w.out_stride + head * dim;
          const bool some = u.Seen(w, i + r) > 0;
          const Vec inverse = Set(some ? keep / sums[r] : 0);
          for (int64_t c = 0; c < dim; c += kLanes)
            Store(out + c, Load(sum + c / kTile * kTile * kTile + r * kTile + c % kTile) * inverse);
          if (w.log_sum)
            w.log_sum[head * u.total_queries + u.q_begin + i + r] =
                some ? greatest[r] + __builtin_logf(sums[r]) : -__builtin_inff();
        }
      }
    }
  }
}

void AttendForward(const FlashAttention* work, int64_t unit_begin, int64_t unit_end, void* workspace) {
  if (work->dropout) return AttendForwardUnits<true>(*work, unit_begin, unit_end, workspace);
  AttendForwardUnits<false>(*work, unit_begin, unit_end, workspace);
}

// Probabilities, as they meet the values, and the gradients of scores of one tile. `p2` and `g2` get both zipped by
// rows, `g` the latter as rows.
template <bool kDrops>
INLINE void SlopeTile(const FlashAttention& w, const Unit& u, int64_t head, int64_t i, int64_t rows, int64_t j,
                      const float* scores, const float* d_p, const float* log_sum, const float* delta, uint16_t* p2,
                      uint16_t* g2, uint16_t* g) {
  const Vec scale = Set(w.scale), keep = Set(kDrops ? KeptScale(*w.dropout) : 1);
  for (int64_t r = 0; r < rows; r += 2) {
    Mask kept[2][kTile / kLanes];
    if constexpr (kDrops) {
      for (int64_t half = 0; half < 2; ++half) KeptOf(w, u, head, i + r + half, j, kept[half]);
    }
    for (int64_t c = 0; c < kTile; c += kLanes) {
      Vec p[2] = {Zero(), Zero()}, slope[2] = {Zero(), Zero()};
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half) {
        const int64_t row = r + half;
        if (row >= rows) break;
        const int64_t seen = u.Seen(w, i + row) - j - c;
        if (seen <= 0) {
          Store(g + row * kTile + c, Zero());
          continue;
        }
        const Vec x = Fma(Load(scores + row * kTile + c), scale, Set(-log_sum[row]));
        p[half] = seen < kLanes ? BlendPart(Exp(x), Zero(), seen) : Exp(x);
        Vec d = Load(d_p + row * kTile + c);
        if constexpr (kDrops) d = Choose(kept[half][c / kLanes], d * keep, Zero());
        slope[half] = p[half] * (d - Set(delta[row])) * scale;
        if constexpr (kDrops) p[half] = Choose(kept[half][c / kLanes], p[half] * keep, Zero());
        if (seen < kLanes) slope[half] = BlendPart(slope[half], Zero(), seen);
        Store(g + row * kTile + c, slope[half]);
      }
      Zip(Narrow(p[0]), Narrow(p[1]), p2 + r * kTile + 2 * c);
      Zip(Narrow(slope[0]), Narrow(slope[1]), g2 + r * kTile + 2 * c);
    }
  }
}

template <bool kDrops>
void AttendBackwardUnits(const FlashAttention& w, int64_t unit_begin, int64_t unit_end, void* workspace) {
  const int64_t dim = w.head_dim, panels = Panels(dim), group = w.heads / w.kv_heads;
  [[maybe_unused]] const TilesOn tiles;
  for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
    const Unit u(w, unit);
    const int64_t key_pairs = (u.keys + 1) / 2, query_pairs = (u.queries + 1) / 2;
    const int64_t whole_keys = Panels(u.keys) * kTile;
    Stretches space{static_cast<char*>(workspace)};
    float* scores = space.Floats(kTile * kTile);
    float* d_p = space.Floats(kTile * kTile);
    float* d_q = space.Floats(kTile * panels * kTile);
    float* d_k = space.Floats(whole_keys * panels * kTile);  // [panels, keys, 64]
    float* d_v = space.Floats(whole_keys * panels * kTile);
    uint16_t* p2 = space.Brains(kTile * kTile);
    uint16_t* g2 = space.Brains(kTile * kTile);
    uint16_t* g = space.Brains(kTile * kTile);
    uint16_t* keys_turned = space.Brains(whole_keys * dim);
    uint16_t* values_turned = space.Brains(whole_keys * dim);
    uint16_t* keys_zipped = space.Brains(2 * key_pairs * panels * kTile);
    uint16_t* queries_zipped = space.Brains(2 * query_pairs * panels * kTile);
    uint16_t* d_out_zipped = space.Brains(2 * query_pairs * panels * kTile);
    const uint16_t* k = w.k + u.k_begin * w.k_stride + u.kv_head * dim;
    PackTurned(k, w.k_stride, u.keys, dim, 0, Panels(u.keys), keys_turned);
    PackTurned(w.v + u.k_begin * w.v_stride + u.kv_head * dim, w.v_stride, u.keys, dim, 0, Panels(u.keys),
               values_turned);
    Interleave(k, w.k_stride, u.keys, dim, 0, panels, keys_zipped, nullptr);
    for (int64_t c = 0; c < whole_keys * panels * kTile; c += kLanes) {
      Store(d_k + c, Zero());
      Store(d_v + c, Zero());
    }
    for (int64_t head = u.kv_head * group; head < (u.kv_head + 1) * group; ++head) {
      Interleave(w.q + u.q_begin * w.q_stride + head * dim, w.q_stride, u.queries, dim, 0, panels, queries_zipped,
                 nullptr);
      Interleave(w.d_out + u.q_begin * w.d_out_stride + head * dim, w.d_out_stride, u.queries, dim, 0, panels,
                 d_out_zipped, nullptr);
      for (int64_t i = 0; i < u.queries; i += kTile) {
        const int64_t rows = u.queries - i < kTile ? u.queries - i : kTile, row_pairs = (rows + 1) / 2;
        const int64_t seen = u.Seen(w, i + rows - 1);
        const uint16_t* q = w.q + (u.q_begin + i) * w.q_stride + head * dim;
        const uint16_t* d_out = w.d_out + (u.q_begin + i) * w.d_out_stride + head * dim;
        const uint16_t* out = w.out + (u.q_begin + i) * w.out_stride + head * dim;
        float delta[kTile], log_sum[kTile];
        for (int64_t r = 0; r < rows; ++r) {
          Vec dot = Zero();
          for (int64_t c = 0; c < dim; c += kLanes)
            dot = Fma(Load(d_out + r * w.d_out_stride + c), Load(out + r * w.out_stride + c), dot);
          delta[r] = SumLanes(dot);
          log_sum[r] = w.log_sum[head * u.total_queries + u.q_begin + i + r];
        }
        for (int64_t c = 0; c < panels * kTile * kTile; c += kLanes) Store(d_q + c, Zero());
        for (int64_t j = 0; j < seen; j += kTile) {
          const int64_t keys = u.keys - j < kTile ? u.keys - j : kTile;
          const auto seen_by = [&](int64_t end) __attribute__((always_inline)) {
            const int64_t n = u.Seen(w, i + end - 1) - j;
            return n < keys ? n : keys;
          };
          const auto all_dims = [&](int64_t r, int64_t n) { return Reach{0, dim / 2, seen_by(r + n)}; };
          MultiplyTile(q, w.q_stride, 2, keys_turned + j * dim, rows, true, scores, all_dims);
          MultiplyTile(d_out, w.d_out_stride, 2, values_turned + j * dim, rows, true, d_p, all_dims);
          SlopeTile<kDrops>(w, u, head, i, rows, j, scores, d_p, log_sum, delta, p2, g2, g);
          for (int64_t p = 0; p < panels; ++p) {
            const int64_t cols = dim - p * kTile, at = (p * query_pairs + i / 2) * 2 * kTile;
            // Key r is seen by queries from the r-th of the diagonal on.
            const auto by_queries = [&](int64_t r, int64_t) {
              const int64_t from = w.causal ? j + r - (u.keys - u.queries) - i : 0;
              return Reach{from > 0 ? from / 2 : 0, row_pairs, cols};
            };
            MultiplyTile(p2, 2, 2 * kTile, d_out_zipped + at, keys, false, d_v + (p * whole_keys + j) * kTile,
                         by_queries);
            MultiplyTile(g2, 2, 2 * kTile, queries_zipped + at, keys, false, d_k + (p * whole_keys + j) * kTile,
                         by_queries);
            MultiplyTile(g, kTile, 2, keys_zipped + (p * key_pairs + j / 2) * 2 * kTile, rows, false,
                         d_q + p * kTile * kTile, [&](int64_t r, int64_t n) {
                           return Reach{0, (seen_by(r + n) + 1) / 2, cols};
                         });
          }
        }
        for (int64_t r = 0; r < rows; ++r) {
          uint16_t* to = w.dq + (u.q_begin + i + r) * w.dq_stride + head * dim;
          for (int64_t c = 0; c < dim; c += kLanes)
            Store(to + c, Load(d_q + c / kTile * kTile * kTile + r * kTile + c % kTile));
        }
      }
    }
    for (int64_t s = 0; s < u.keys; ++s) {
      uint16_t* to_k = w.dk + (u.k_begin + s) * w.dk_stride + u.kv_head * dim;
      uint16_t* to_v = w.dv + (u.k_begin + s) * w.dv_stride + u.kv_head * dim;
      for (int64_t c = 0; c < dim; c += kLanes) {
        const int64_t from = (c / kTile * whole_keys + s) * kTile + c % kTile;
        Store(to_k + c, Load(d_k + from));
        Store(to_v + c, Load(d_v + from));
      }
    }
  }
}

void AttendBackward(const FlashAttention* work, int64_t unit_begin, int64_t unit_end, void* workspace) {
  if (work->dropout) return AttendBackwardUnits<true>(*work, unit_begin, unit_end, workspace);
  AttendBackwardUnits<false>(*work, unit_begin, unit_end, workspace);
}
