// How a stretch (format.h) is read, for any set of instructions. Included in the anonymous namespace of a file that has
// `float ReadHalf(const uint8_t* at)`; where the format is a constant, so is the way through StretchAt.

// The eight 6-bit (scale, min) pairs of a Q4_K or Q5_K block, packed in 12 bytes: pairs 0..3 hold their low six bits in
// bytes i and i+4; pairs 4..7 hold low nibbles in byte i+4 and take their top two bits from those of bytes i-4 and i.
inline __attribute__((always_inline)) void ReadScalePair(const uint8_t* packed, int pair, int* scale, int* min) {
  if (pair < 4) {
    *scale = packed[pair] & 63;
    *min = packed[pair + 4] & 63;
  } else {
    *scale = (packed[pair + 4] & 15) | (packed[pair - 4] >> 6) << 4;
    *min = (packed[pair + 4] >> 4) | (packed[pair] >> 6) << 4;
  }
}

typedef uint8_t Sixteen __attribute__((vector_size(16)));  // compilers make none of a loop of sixteen by themselves

// 16 bytes: low nibbles are weights 0..15, high 16..31.
inline __attribute__((always_inline)) void ReadNibbles(const uint8_t* bytes, uint8_t* q) {
  Sixteen both;
  __builtin_memcpy(&both, bytes, 16);
  const Sixteen low = both & 15, high = both >> 4;
  __builtin_memcpy(q, &low, 16);
  __builtin_memcpy(q + 16, &high, 16);
}

// Bit i of `high` is the fifth of q[i].
inline __attribute__((always_inline)) void AddFifthBits(uint32_t high, uint8_t* q) {
  constexpr uint64_t kEach = 0x0101010101010101;
  const Sixteen at = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  for (int half = 0; half < 2; ++half, high >>= 16, q += 16) {
    const uint64_t spread[2] = {(high & 255) * kEach, (high >> 8 & 255) * kEach};
    Sixteen bits, low;
    __builtin_memcpy(&bits, spread, 16);
    __builtin_memcpy(&low, q, 16);
    low |= reinterpret_cast<Sixteen>((bits & at) != 0) & 16;
    __builtin_memcpy(q, &low, 16);
  }
}

// Stretch `index` of the row that starts at `row`.
inline __attribute__((always_inline)) void StretchAt(Format format, const uint8_t* row, int64_t index, Stretch* out) {
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
        __builtin_memcpy(&high, at, 4);
        at += 4;
      }
      ReadNibbles(at, out->q);
      if (five) AddFifthBits(high, out->q);
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
