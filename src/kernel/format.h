// How weights are stored in files, what one number of each format means, and plain conversions. Source of the layouts:
// the GGUF specification's block formats; each struct below is one block, little-endian, without padding.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/half.h"

namespace atelier::kernel {

enum class Format : uint8_t { kF32, kF16, kBF16, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ8_0, kQ4_K, kQ5_K, kQ6_K };

struct FormatInfo {
  Format format;
  std::string_view name;
  int block;  // weights per block
  int bytes;  // bytes per block
};
const FormatInfo& Info(Format format);

// Expands `count` weights (a multiple of the block) into f32. Exact but for the product's rounding.
void Dequantise(Format format, const void* blocks, int64_t count, float* out);

// One 32-weight stretch of a quantised row as integers: weight[i] = scale[i/group] * (q[i] - zero) - min[i/group].
// The common view of all quantised formats from which matrices are packed.
struct Stretch {
  uint8_t q[32];
  float scale[2], min[2];  // [1] only where group is 16
};
struct StretchInfo {
  int bits;   // of q: 4, 5, 6 or 8
  int group;  // weights per scale: 32 or 16
  int zero;   // the q that means 0: 8, 16, 32, 128; 0 where a minimum takes its place
  bool has_min;
};
StretchInfo StretchOf(Format format);  // REQUIRES: a quantised format
// Stretch `index` of the row that starts at `row`.
void ReadStretch(Format format, const uint8_t* row, int64_t index, Stretch* out);

}  // namespace atelier::kernel
