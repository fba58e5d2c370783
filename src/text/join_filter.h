// What can stand side by side within a token. Where a vocabulary has no token that joins two neighbours of a text, no
// merge can ever cross their border: the text may be cut there and its parts encoded one by one, with the same ids.
// Answers "maybe" too often (a hashed set), which only leaves a border uncut.
#pragma once

#include <cstdint>
#include <vector>

namespace atelier::text {

class JoinFilter {
 public:
  void Add(uint64_t key) {
    const uint64_t bit = Place(key);
    bits_[bit >> 6] |= uint64_t{1} << (bit & 63);
  }
  bool May(uint64_t key) const {
    const uint64_t bit = Place(key);
    return bits_[bit >> 6] >> (bit & 63) & 1;
  }

 private:
  static constexpr int kBits = 20;
  static uint64_t Place(uint64_t key) { return key * 0x9E3779B97F4A7C15u >> (64 - kBits); }
  std::vector<uint64_t> bits_ = std::vector<uint64_t>((size_t{1} << kBits) / 64);
};

}  // namespace atelier::text
