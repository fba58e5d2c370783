#include "text/special_tokens.h"

#include <algorithm>

namespace atelier::text {

SpecialTokens::SpecialTokens(const std::vector<std::pair<std::string_view, int32_t>>& tokens) {
  if (tokens.empty()) return;
  // Sorted texts give the trie level by level: each node is a range of texts that share a prefix.
  auto sorted = tokens;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  struct Range {
    size_t begin, end;
  };
  std::vector<Range> ranges{{0, sorted.size()}};
  nodes_.emplace_back();
  for (size_t node = 0; node < nodes_.size(); ++node) {
    Range range = ranges[node];
    const uint32_t depth = nodes_[node].depth;
    while (range.begin < range.end && sorted[range.begin].first.size() == depth) {
      if (nodes_[node].id < 0) nodes_[node].id = sorted[range.begin].second;
      ++range.begin;
    }
    nodes_[node].edges_begin = static_cast<uint32_t>(edges_.size());
    for (size_t i = range.begin; i < range.end;) {
      const char byte = sorted[i].first[depth];
      size_t j = i + 1;
      while (j < range.end && sorted[j].first[depth] == byte) ++j;
      edges_.emplace_back(static_cast<unsigned char>(byte), static_cast<int32_t>(nodes_.size()));
      nodes_.emplace_back();
      nodes_.back().depth = depth + 1;
      ranges.push_back({i, j});
      i = j;
    }
    nodes_[node].edges_end = static_cast<uint32_t>(edges_.size());
  }
  for (int32_t& child : root_) child = 0;
  for (uint32_t e = nodes_[0].edges_begin; e < nodes_[0].edges_end; ++e) root_[edges_[e].first] = edges_[e].second;
  // Nodes are in order of depth, so a node's suffix is complete before the node is visited.
  for (size_t node = 0; node < nodes_.size(); ++node) {
    for (uint32_t e = nodes_[node].edges_begin; e < nodes_[node].edges_end; ++e) {
      const auto [byte, child] = edges_[e];
      int32_t suffix = 0;
      if (node != 0) {
        suffix = nodes_[node].fail;
        while (suffix != 0 && Child(suffix, byte) < 0) suffix = nodes_[suffix].fail;
        const int32_t next = Child(suffix, byte);
        suffix = next < 0 ? 0 : next;
      }
      nodes_[child].fail = suffix;
      nodes_[child].shorter = Longest(suffix);
    }
  }
}

int32_t SpecialTokens::Child(int32_t node, unsigned char byte) const {
  if (node == 0) return root_[byte] == 0 ? -1 : root_[byte];
  auto first = edges_.begin() + nodes_[node].edges_begin, last = edges_.begin() + nodes_[node].edges_end;
  if (last - first == 1) return first->first == byte ? first->second : -1;
  first = std::lower_bound(first, last, byte, [](const auto& edge, unsigned char b) { return edge.first < b; });
  return first != last && first->first == byte ? first->second : -1;
}

std::vector<SpecialTokens::Match> SpecialTokens::Find(std::string_view text) const {
  std::vector<Match> found;
  if (nodes_.empty()) return found;

  // Ends of candidates, by the length of the longest token that ends there.
  struct Candidate {
    size_t end;
    int32_t node;
  };
  std::vector<Candidate> candidates;
  int32_t node = 0;
  uint32_t longest = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (node == 0 && root_[byte] == 0) continue;  // nearly always
    int32_t child;
    while ((child = Child(node, byte)) < 0 && node != 0) node = nodes_[node].fail;
    node = child < 0 ? 0 : child;
    const int32_t match = Longest(node);
    if (match > 0) {
      candidates.push_back({i + 1, match});
      longest = std::max(longest, nodes_[match].depth);
    }
  }
  if (candidates.empty()) return found;

  // taken_until[i]: for a byte that a match covers, that match's end; otherwise 0.
  std::vector<size_t> taken_until(text.size() + 1, 0);
  std::vector<std::vector<Candidate>> by_length(longest + 1);
  for (const Candidate& candidate : candidates) by_length[nodes_[candidate.node].depth].push_back(candidate);
  std::vector<Candidate> crossing;
  for (uint32_t length = longest; length > 0; --length) {
    std::vector<Candidate> list = std::move(by_length[length]);
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.end < b.end; });
    crossing.clear();
    for (const Candidate& candidate : list) {
      const size_t begin = candidate.end - length;
      // A taken stretch that reaches into this one covers its first or its last byte, as none is shorter than it.
      if (taken_until[begin] != 0 || taken_until[candidate.end - 1] != 0) {
        crossing.push_back(candidate);
        continue;
      }
      std::fill(taken_until.begin() + begin, taken_until.begin() + candidate.end, candidate.end);
      found.push_back({begin, candidate.end, nodes_[candidate.node].id});
    }
    for (const Candidate& candidate : crossing) {
      if (taken_until[candidate.end - 1] != 0) continue;
      // The longest shorter token that ends here and begins after the taken stretch.
      const size_t free_from = taken_until[candidate.end - length];
      int32_t next = nodes_[candidate.node].shorter;
      while (next > 0 && nodes_[next].depth > candidate.end - free_from) next = nodes_[next].shorter;
      if (next > 0) by_length[nodes_[next].depth].push_back({candidate.end, next});
    }
  }
  std::sort(found.begin(), found.end(), [](const Match& a, const Match& b) { return a.begin < b.begin; });
  return found;
}

}  // namespace atelier::text
