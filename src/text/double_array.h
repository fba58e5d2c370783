// A static trie over byte strings as one array of 32-bit units (Aoe 1989; the layout of Darts-clone, which the
// charsmaps of SentencePiece models are written in). A step is one load and one exclusive or.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::text {

class DoubleArray {
 public:
  using Key = std::pair<std::string_view, uint32_t>;  // and its value, below 2^31
  static constexpr size_t kLongestKey = 1024;         // bytes

  // REQUIRES: keys sorted by their bytes, all different, none empty, with a NUL or longer than kLongestKey.
  static std::vector<uint32_t> Build(std::span<const Key> keys);
  // Of keys in any order; of equal ones the first stays. REQUIRES: none empty, with a NUL or longer than kLongestKey.
  static DoubleArray Of(std::vector<Key> keys);

  DoubleArray() = default;
  // Units may come from a file: whatever they say, look-ups stay inside.
  explicit DoubleArray(std::vector<uint32_t> units) : units_(std::move(units)) {}

  // Calls fn(length, value) for every key that `text` begins with, the shortest first.
  template <typename Fn>
  void Prefixes(std::string_view text, const Fn& fn) const {
    if (units_.empty()) return;
    size_t node = Offset(units_[0]);
    for (size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      node ^= byte;
      if (byte == 0 || node >= units_.size()) return;
      const uint32_t unit = units_[node];
      if ((unit & (kLeaf | 0xFF)) != byte) return;
      node ^= Offset(unit);
      if ((unit >> 8 & 1) != 0 && node < units_.size()) fn(i + 1, units_[node] & ~kLeaf);
    }
  }

  // Whether any key may begin with this byte.
  bool Begins(unsigned char byte) const {
    if (units_.empty() || byte == 0) return false;
    const size_t node = Offset(units_[0]) ^ byte;
    return node < units_.size() && (units_[node] & (kLeaf | 0xFF)) == byte;
  }

 private:
  // A unit: label in bits 0-7, bit 8 whether a key ends here, bit 9 whether the offset is in steps of 256, above it the
  // offset; bit 31 and a value where a key ends.
  static constexpr uint32_t kLeaf = 1u << 31;
  static size_t Offset(uint32_t unit) { return static_cast<size_t>(unit >> 10) << ((unit & (1u << 9)) >> 6); }

  std::vector<uint32_t> units_;
};

}  // namespace atelier::text
