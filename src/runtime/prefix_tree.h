// Computed beginnings of prompts as a tree of pages, so that a prompt starts where the longest known beginning ends
// (after RadixAttention, Zheng et al. 2024, arXiv:2312.07104; here a node is one page).
//
// Tokens are compared one by one, never by hash: a prompt gets the pages of exactly its own tokens, computed with its
// own adapter (`adapter`: AdapterWeights::id, 0 for none). Pages are shared, not copied; Sequence copies the last one
// when somebody writes into it. One thread at a time, the pages' own.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "runtime/kv_cache.h"

namespace atelier::runtime {

class PrefixTree {
 public:
  explicit PrefixTree(size_t most_pages);
  ~PrefixTree();

  // A sequence over the longest known beginning of `tokens`, empty where none is.
  Sequence Start(std::span<const int32_t> tokens, uint64_t adapter);
  // Remembers `tokens`, the first of those that `sequence` holds. REQUIRES: tokens.size() <= sequence.length().
  void Keep(std::span<const int32_t> tokens, uint64_t adapter, const Sequence& sequence);
  // Forgets the page that was used least recently; false where there is none.
  bool DropOldest();
  void Clear();
  size_t pages() const { return size_; }

 private:
  struct Node;
  Node* Root(uint64_t adapter);
  void Touch(Node* node);

  size_t most_pages_, size_ = 0;
  std::map<uint64_t, std::unique_ptr<Node>> roots_;  // by adapter
  std::list<Node*> by_use_;  // latest first; a node stands before its children, so the last one is a leaf
};

}  // namespace atelier::runtime
