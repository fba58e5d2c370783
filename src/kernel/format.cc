#include "kernel/format.h"

#include <cstring>

namespace atelier::kernel {
namespace {

constexpr FormatInfo kFormats[] = {
    {Format::kF32, "F32", 1, 4},       {Format::kF16, "F16", 1, 2},       {Format::kBF16, "BF16", 1, 2},
    {Format::kQ4_0, "Q4_0", 32, 18},   {Format::kQ4_1, "Q4_1", 32, 20},   {Format::kQ5_0, "Q5_0", 32, 22},
    {Format::kQ5_1, "Q5_1", 32, 24},   {Format::kQ8_0, "Q8_0", 32, 34},   {Format::kQ4_K, "Q4_K", 256, 144},
    {Format::kQ5_K, "Q5_K", 256, 176}, {Format::kQ6_K, "Q6_K", 256, 210},
};

float ReadHalf(const uint8_t* at) {
  uint16_t bits;
  std::memcpy(&bits, at, 2);
  return HalfToFloat(bits);
}

// The eight 6-bit (scale, min) pairs of a Q4_K or Q5_K block, packed in 12 bytes: pairs 0..3 hold their low six bits in
// bytes i and i+4; pairs 4..7 hold low nibbles in byte i+4 and take their top two bits from those of bytes i-4 and i.
void ReadScalePair(const uint8_t* packed, int pair, int* scale, int* min) {
  if (pair < 4) {
    *scale = packed[pair] & 63;
    *min = packed[pair + 4] & 63;
  } else {
    *scale = (packed[pair + 4] & 15) | (packed[pair - 4] >> 6) << 4;
    *min = (packed[pair + 4] >> 4) | (packed[pair] >> 6) << 4;
  }
}

void ReadNibbles(const uint8_t* bytes, uint8_t* q) {  // 16 bytes: low nibbles are weights 0..15, high 16..31
  for (int i = 0; i < 16; ++i) {
    q[i] = bytes[i] & 15;
    q[i + 16] = bytes[i] >> 4;
  }
}

}  // namespace

const FormatInfo& Info(Format format) { return kFormats[static_cast<int>(format)]; }

StretchInfo StretchOf(Format format) {
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

void ReadStretch(Format format, const uint8_t* row, int64_t index, Stretch* out) {
  out->min[0] = out->min[1] = 0;
  switch (format) {
    case Format::kQ4_0:
    case Format::kQ4_1:
    case Format::kQ5_0:
    case Format::kQ5_1: {
      const bool has_min = format == Format::kQ4_1 || format == Format::kQ5_1;
      const bool five = format == Format::kQ5_0 || format == Format::kQ5_1;
      const uint8_t* at = row + index * Info(format).bytes;
      out->scale[0] = ReadHalf(at);
      at += 2;
      if (has_min) {
        out->min[0] = -ReadHalf(at);  // the file adds its minimum, we subtract ours
        at += 2;
      }
      uint32_t high = 0;
      if (five) {
        std::memcpy(&high, at, 4);
        at += 4;
      }
      ReadNibbles(at, out->q);
      if (five) {
        for (int i = 0; i < 32; ++i) out->q[i] |= static_cast<uint8_t>((high >> i & 1) << 4);
      }
      return;
    }
    case Format::kQ8_0: {
      const uint8_t* at = row + index * 34;
      out->scale[0] = ReadHalf(at);
      for (int i = 0; i < 32; ++i) out->q[i] = at[2 + i] ^ 0x80;
      return;
    }
    case Format::kQ4_K:
    case Format::kQ5_K: {
      const int bytes = Info(format).bytes;
      const uint8_t* at = row + index / 8 * bytes;
      const int sub = static_cast<int>(index % 8);
      int scale, min;
      ReadScalePair(at + 4, sub, &scale, &min);
      out->scale[0] = ReadHalf(at) * static_cast<float>(scale);
      out->min[0] = ReadHalf(at + 2) * static_cast<float>(min);
      // Nibbles: 32 bytes serve two stretches, the even one in the low halves. Q5_K's fifth bits: bit `sub` of qh[i].
      const uint8_t* nibbles = at + bytes - 128 + sub / 2 * 32;
      for (int i = 0; i < 32; ++i) {
        out->q[i] = sub % 2 == 0 ? nibbles[i] & 15 : nibbles[i] >> 4;
        if (format == Format::kQ5_K) out->q[i] |= static_cast<uint8_t>((at[16 + i] >> sub & 1) << 4);
      }
      return;
    }
    case Format::kQ6_K: {
      // 128 bytes of low nibbles, 64 of high bit pairs, 16 int8 scales, one half. Halves of 128 weights: quarter j of a
      // half takes nibble j/2 of low byte (j%2)*32+i, and bit pair j of high byte i.
      const uint8_t* at = row + index / 8 * 210;
      const int sub = static_cast<int>(index % 8), half = sub / 4, quarter = sub % 4;
      const uint8_t* low = at + half * 64 + quarter % 2 * 32;
      const uint8_t* high = at + 128 + half * 32;
      for (int i = 0; i < 32; ++i) {
        const int nibble = quarter < 2 ? low[i] & 15 : low[i] >> 4;
        out->q[i] = static_cast<uint8_t>(nibble | (high[i] >> 2 * quarter & 3) << 4);
      }
      const float d = ReadHalf(at + 208);
      for (int g = 0; g < 2; ++g) out->scale[g] = d * static_cast<float>(static_cast<int8_t>(at[192 + sub * 2 + g]));
      return;
    }
    default: return;
  }
}

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
