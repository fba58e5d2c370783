#include "text/unigram_trie.h"

namespace atelier::text {

UnigramTrie::UnigramTrie(const std::vector<uint32_t>& text, const std::vector<UnigramPiece>& pieces, size_t characters)
    : roots_(characters), labels_(1), nodes_(1) {
  // Level by level: each node is a range of pieces that share its characters.
  struct Range {
    size_t begin, end;
  };
  std::vector<Range> ranges{{0, pieces.size()}};
  uint32_t depth = 0;
  size_t level_end = 1;
  for (size_t node = 0; node < nodes_.size(); ++node) {
    if (node == level_end) {
      ++depth;
      level_end = nodes_.size();
    }
    Range range = ranges[node];
    if (node > 0 && pieces[range.begin].size == depth) {
      nodes_[node].piece = static_cast<int32_t>(range.begin);
      ++range.begin;
    }
    nodes_[node].first = static_cast<uint32_t>(nodes_.size());
    for (size_t i = range.begin; i < range.end;) {
      const uint32_t label = text[pieces[i].begin + depth];
      size_t j = i + 1;
      while (j < range.end && text[pieces[j].begin + depth] == label) ++j;
      if (depth == 0) roots_[label] = static_cast<uint32_t>(nodes_.size());
      labels_.push_back(label);
      nodes_.emplace_back();
      ranges.push_back({i, j});
      ++nodes_[node].count;
      i = j;
    }
  }
}

}  // namespace atelier::text
