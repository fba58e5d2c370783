// Random numbers that are the same on every machine and compiler (the distributions of <random> are not).
// SplitMix64 (Steele, Lea, Flood 2014): one 64-bit state, any seed is good, streams are split by hashing.
#pragma once

#include <cstdint>
#include <string_view>

namespace atelier {

class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}
  // A stream of its own for (seed, name): what one consumer draws never shifts what another sees.
  Rng(uint64_t seed, std::string_view name);

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15ull;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  // Uniform in [0, 1), 53 bits.
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  // Uniform in [0, n), without bias. REQUIRES: n > 0.
  uint64_t Below(uint64_t n);

 private:
  uint64_t state_;
};

}  // namespace atelier
