#include "kernel/format.h"

#include <cstring>

namespace atelier::kernel {
namespace {

float ReadHalf(const uint8_t* at) {
  uint16_t bits;
  std::memcpy(&bits, at, 2);
  return HalfToFloat(bits);
}

#include "kernel/stretch-inl.h"

}  // namespace

void ReadStretch(Format format, const uint8_t* row, int64_t index, Stretch* out) { StretchAt(format, row, index, out); }

void Dequantise(Format format, const void* blocks, int64_t count, float* out) {
  const auto* bytes = static_cast<const uint8_t*>(blocks);
  const auto read16 = [&](int64_t i) {
    uint16_t bits;
    std::memcpy(&bits, bytes + 2 * i, 2);
    return bits;
  };
  switch (format) {
    case Format::kF32: std::memcpy(out, blocks, static_cast<size_t>(count) * 4); return;
    case Format::kF16:
      for (int64_t i = 0; i < count; ++i) out[i] = HalfToFloat(read16(i));
      return;
    case Format::kBF16:
      for (int64_t i = 0; i < count; ++i) out[i] = BFloatToFloat(read16(i));
      return;
    default: break;
  }
  const StretchInfo info = StretchOf(format);
  for (int64_t s = 0; s < count / 32; ++s) {
    Stretch stretch;
    ReadStretch(format, bytes, s, &stretch);
    for (int half = 0; half < 2; ++half) {  // of one scale each: what a compiler makes vectors of
      const int g = half * 16 / info.group;
      const float scale = stretch.scale[g], min = stretch.min[g];
      const uint8_t* q = stretch.q + half * 16;
      float* to = out + s * 32 + half * 16;
      for (int i = 0; i < 16; ++i) to[i] = scale * static_cast<float>(q[i] - info.zero) - min;
    }
  }
}

}  // namespace atelier::kernel
