// Numbers and matrices in blocks, for tests.
#pragma once

#include <cstring>
#include <vector>

#include "base/rng.h"
#include "kernel/format.h"

namespace atelier::kernel {

inline float Normal(Rng* rng) {  // close enough to a bell
  float sum = 0;
  for (int i = 0; i < 6; ++i) sum += static_cast<float>(rng->Uniform());
  return sum - 3.0f;
}

// Random blocks whose scales are sane halves.
inline std::vector<uint8_t> RandomBlocks(Format format, int64_t rows, int64_t cols, Rng* rng) {
  const FormatInfo& info = Info(format);
  std::vector<uint8_t> bytes(static_cast<size_t>(rows * cols / info.block * info.bytes));
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(rng->Next());
  const auto set = [&](size_t at, int width) {
    const float value = Normal(rng) * 0.1f;
    if (width == 4) std::memcpy(bytes.data() + at, &value, 4);
    const uint16_t half = FloatToHalf(value);
    if (width == 2) std::memcpy(bytes.data() + at, &half, 2);
    const uint16_t brain = FloatToBFloat(value);
    if (width == 3) std::memcpy(bytes.data() + at, &brain, 2);
  };
  for (size_t block = 0; block < bytes.size(); block += static_cast<size_t>(info.bytes)) {
    switch (format) {
      case Format::kF32: set(block, 4); break;
      case Format::kF16: set(block, 2); break;
      case Format::kBF16: set(block, 3); break;
      case Format::kQ4_1:
      case Format::kQ5_1:
      case Format::kQ4_K:
      case Format::kQ5_K:
        set(block, 2);
        set(block + 2, 2);
        break;
      case Format::kQ6_K: set(block + 208, 2); break;
      default: set(block, 2); break;
    }
  }
  return bytes;
}

}  // namespace atelier::kernel
