// Packed forms of matrices that lie in blocks, as files have them (kernel/format.h). Included after pack-inl.h.

INLINE float ReadHalf(const uint8_t* at) {
  uint16_t bits;
  __builtin_memcpy(&bits, at, 2);
  return _cvtsh_ss(bits);
}
#include "kernel/stretch-inl.h"

// Weights [begin, end) of a row, which are whole stretches of it, as bf16.
template <Format kFormat>
INLINE void UnpackStretches(const uint8_t* row, int64_t begin, int64_t end, uint16_t* out) {
  constexpr StretchInfo kInfo = StretchOf(kFormat);
  for (int64_t at = begin; at < end; at += 32) {
    Stretch stretch;
    StretchAt(kFormat, row, at / 32, &stretch);
#pragma GCC unroll 4
    for (int v = 0; v < 32; v += kLanes) {
      const int g = v / kInfo.group;
      Vec x = Set(stretch.scale[g]) * (LoadBytes(stretch.q + v) - Set(static_cast<float>(kInfo.zero)));
      if (kInfo.has_min) x = x - Set(stretch.min[g]);
      Store(out + at - begin + v, x);
    }
  }
}

template <Format kFormat>
__attribute__((noinline)) void UnpackRows(const uint8_t* w, int64_t row_bytes, int64_t rows, int64_t begin, int64_t end,
                                          int64_t stride, uint16_t* out) {
  for (int64_t r = 0; r < rows; ++r) {
    const uint8_t* row = w + r * row_bytes;
    uint16_t* to = out + r * stride;
    if constexpr (kFormat == Format::kF32) {
      NarrowAll(reinterpret_cast<const float*>(row) + begin, end - begin, to);
    } else if constexpr (kFormat == Format::kF16) {
      for (int64_t c = begin; c < end; c += kLanes)
        StorePart(to + c - begin, LoadHalves(reinterpret_cast<const uint16_t*>(row) + c, end - c), end - c);
    } else if constexpr (kFormat == Format::kBF16) {
      __builtin_memcpy(to, row + 2 * begin, static_cast<size_t>(end - begin) * 2);
    } else {
      UnpackStretches<kFormat>(row, begin, end, to);
    }
  }
}

using UnpackFn = void (*)(const uint8_t* w, int64_t row_bytes, int64_t rows, int64_t begin, int64_t end, int64_t stride,
                          uint16_t* out);
constexpr UnpackFn kUnpack[] = {UnpackRows<Format::kF32>,  UnpackRows<Format::kF16>,  UnpackRows<Format::kBF16>,
                                UnpackRows<Format::kQ4_0>, UnpackRows<Format::kQ4_1>, UnpackRows<Format::kQ5_0>,
                                UnpackRows<Format::kQ5_1>, UnpackRows<Format::kQ8_0>, UnpackRows<Format::kQ4_K>,
                                UnpackRows<Format::kQ5_K>, UnpackRows<Format::kQ6_K>};
static_assert(sizeof(kUnpack) / sizeof(kUnpack[0]) == sizeof(kFormats) / sizeof(kFormats[0]));

void PackBlocks(Format format, const uint8_t* w, int64_t row_bytes, int64_t rows, int64_t cols, int64_t block_begin,
                int64_t block_end, uint16_t* forward, uint16_t* backward) {
  constexpr int64_t kStrip = 512;  // columns at a time: 64 KB, read again from L2 at worst
  alignas(64) uint16_t strip[kProductPanel * kStrip];
  const int64_t pairs = (cols + 1) / 2, row_pairs = (rows + 1) / 2;
  for (int64_t block = block_begin; block < block_end; ++block) {
    const int64_t row = block * kProductPanel, count = rows - row < kProductPanel ? rows - row : kProductPanel;
    for (int64_t c = 0; c < cols; c += kStrip) {
      const int64_t n = cols - c < kStrip ? cols - c : kStrip;
      kUnpack[static_cast<int>(format)](w + row * row_bytes, row_bytes, count, c, c + n, kStrip, strip);
      if (forward)
        PackTurned(strip, kStrip, count, n, 0, 1, forward + block * pairs * 2 * kProductPanel + c * kProductPanel);
      if (backward) PackZipped(strip, kStrip, count, n, row_pairs, backward + c * row_pairs * 2 + row * kProductPanel);
    }
  }
}
