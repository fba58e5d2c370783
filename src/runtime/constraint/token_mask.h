// A set of tokens of a vocabulary.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace atelier::runtime {

struct TokenMask {
  std::vector<uint64_t> bits;  // [(vocab + 63) / 64]
  int64_t count = 0;

  bool Has(int32_t token) const { return bits[static_cast<size_t>(token) / 64] >> (token % 64) & 1; }
  int32_t First() const {  // 0 where the set is empty
    for (size_t i = 0; i < bits.size(); ++i) {
      if (bits[i] != 0) return static_cast<int32_t>(i * 64 + static_cast<size_t>(std::countr_zero(bits[i])));
    }
    return 0;
  }
  // Makes what is not in the set impossible. `logits` [vocab].
  void Apply(float* logits, int64_t vocab) const {
    for (size_t i = 0; i < bits.size(); ++i) {
      const auto begin = static_cast<int64_t>(i * 64);
      const int64_t end = begin + 64 < vocab ? begin + 64 : vocab;
      const uint64_t word = bits[i];
      if (word == 0) {
        for (int64_t t = begin; t < end; ++t) logits[t] = -INFINITY;
      } else if (word != ~uint64_t{0}) {
        for (int64_t t = begin; t < end; ++t) {
          if ((word >> (t - begin) & 1) == 0) logits[t] = -INFINITY;
        }
      }
    }
  }
};

}  // namespace atelier::runtime
