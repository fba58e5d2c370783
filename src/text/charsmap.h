// SentencePiece's normaliser: a map from byte strings to their replacements, the longest first, as the model's file
// brings it ("precompiled charsmap": the size of a trie, the trie's units, then texts that end in NUL).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/double_array.h"

namespace atelier::text {

class Charsmap {
 public:
  Charsmap() = default;  // changes nothing
  // Throws kCorrupt where it contradicts itself.
  explicit Charsmap(std::string_view bytes);
  // The same bytes from pairs (text, replacement). REQUIRES: what DoubleArray::Build does; no NUL in a replacement.
  static std::string Build(const std::vector<std::pair<std::string, std::string>>& pairs);

  // How many bytes at the beginning of `text` are replaced, and by what; 0 where none are.
  size_t Match(std::string_view text, std::string_view* replacement) const;
  // Whether a replacement may begin with this byte.
  bool Begins(unsigned char byte) const { return begins_[byte]; }

 private:
  DoubleArray trie_;
  std::string texts_;
  bool begins_[256] = {};
};

}  // namespace atelier::text
