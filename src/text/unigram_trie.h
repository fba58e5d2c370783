// The pieces of a unigram model under training as a trie over characters' numbers: which pieces begin at a place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "text/unigram_corpus.h"

namespace atelier::text {

class UnigramTrie {
 public:
  // `pieces` sorted, as UnigramCandidates gives them; `characters`: how many numbers there are.
  UnigramTrie(const std::vector<uint32_t>& text, const std::vector<UnigramPiece>& pieces, size_t characters);

  // Calls fn(size, piece) for every piece that the text at `at` begins with, the shortest first. REQUIRES: a 0 ends it.
  template <typename Fn>
  void Prefixes(const uint32_t* at, const Fn& fn) const {
    uint32_t node = roots_[*at];
    for (uint32_t size = 1; node != 0; ++size) {
      const Node& found = nodes_[node];
      if (found.piece >= 0) fn(size, found.piece);
      node = Child(found, at[size]);
    }
  }

 private:
  struct Node {
    uint32_t first = 0, count = 0;  // children, in labels_ and below first_
    int32_t piece = -1;
  };
  uint32_t Child(const Node& node, uint32_t label) const {
    if (label == 0 || node.count == 0) return 0;
    const uint32_t* base = labels_.data() + node.first;
    uint32_t count = node.count;
    while (count > 1) {  // the last that is not greater
      const uint32_t half = count / 2;
      base += base[half] <= label ? half : 0;
      count -= half;
    }
    return *base == label ? static_cast<uint32_t>(base - labels_.data()) : 0;
  }

  std::vector<uint32_t> roots_;   // [characters]: node, or 0
  std::vector<uint32_t> labels_;  // [nodes]: by which character it is reached
  std::vector<Node> nodes_;       // [0] is none; children of a node stand together
};

}  // namespace atelier::text
