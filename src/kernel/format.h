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
inline constexpr FormatInfo kFormats[] = {
    {Format::kF32, "F32", 1, 4},       {Format::kF16, "F16", 1, 2},       {Format::kBF16, "BF16", 1, 2},
    {Format::kQ4_0, "Q4_0", 32, 18},   {Format::kQ4_1, "Q4_1", 32, 20},   {Format::kQ5_0, "Q5_0", 32, 22},
    {Format::kQ5_1, "Q5_1", 32, 24},   {Format::kQ8_0, "Q8_0", 32, 34},   {Format::kQ4_K, "Q4_K", 256, 144},
    {Format::kQ5_K, "Q5_K", 256, 176}, {Format::kQ6_K, "Q6_K", 256, 210},
};
constexpr const FormatInfo& Info(Format format) { return kFormats[static_cast<int>(format)]; }

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
constexpr StretchInfo StretchOf(Format format) {  // REQUIRES: a quantised format
  switch (format) {
    case Format::kQ4_0: return {4, 32, 8, false};
    case Format::kQ4_1: return {4, 32, 0, true};
    case Format::kQ5_0: return {5, 32, 16, false};
    case Format::kQ5_1: return {5, 32, 0, true};
    case Format::kQ4_K: return {4, 32, 0, true};
    case Format::kQ5_K: return {5, 32, 0, true};
    case Format::kQ6_K: return {6, 16, 32, false};
    default: return {8, 32, 128, false};  // Q8_0
  }
}
// Stretch `index` of the row that starts at `row`.
void ReadStretch(Format format, const uint8_t* row, int64_t index, Stretch* out);

}  // namespace atelier::kernel
