#include "runtime/prefix_tree.h"

#include <algorithm>

namespace atelier::runtime {

struct PrefixTree::Node {
  std::vector<int32_t> tokens;  // at most a page of them; fewer only in a leaf
  std::shared_ptr<uint8_t> page;
  Node* parent = nullptr;  // null: a root
  std::list<Node*>::iterator use;
  std::vector<std::unique_ptr<Node>> children;
};

namespace {

constexpr size_t kPage = static_cast<size_t>(KvShape::kPageTokens);

size_t Same(std::span<const int32_t> a, std::span<const int32_t> b) {
  const size_t limit = std::min(a.size(), b.size());
  size_t same = 0;
  while (same < limit && a[same] == b[same]) ++same;
  return same;
}

}  // namespace

PrefixTree::PrefixTree(size_t most_pages) : most_pages_(most_pages) {}

PrefixTree::~PrefixTree() { Clear(); }

void PrefixTree::Touch(Node* node) {
  for (; node->parent != nullptr; node = node->parent) by_use_.splice(by_use_.begin(), by_use_, node->use);
}

PrefixTree::Node* PrefixTree::Root(uint64_t adapter) {
  std::erase_if(roots_, [](const auto& root) { return root.second->children.empty(); });
  std::unique_ptr<Node>& root = roots_[adapter];
  if (root == nullptr) root = std::make_unique<Node>();
  return root.get();
}

Sequence PrefixTree::Start(std::span<const int32_t> tokens, uint64_t adapter) {
  std::vector<std::shared_ptr<uint8_t>> pages;
  size_t known = 0;
  Node* at = Root(adapter);
  while (known < tokens.size()) {
    Node* best = nullptr;
    size_t most = 0;
    for (const auto& child : at->children) {
      const size_t same = Same(child->tokens, tokens.subspan(known));
      if (same > most) {
        most = same;
        best = child.get();
      }
    }
    if (best == nullptr) break;
    pages.push_back(best->page);
    known += most;
    at = best;
    if (most < kPage) break;
  }
  Touch(at);
  return Sequence(std::move(pages), static_cast<int64_t>(known));
}

void PrefixTree::Keep(std::span<const int32_t> tokens, uint64_t adapter, const Sequence& sequence) {
  Node* at = Root(adapter);
  for (size_t known = 0; known < tokens.size(); known += kPage) {
    const std::span<const int32_t> block = tokens.subspan(known, std::min(kPage, tokens.size() - known));
    Node* next = nullptr;
    for (const auto& child : at->children) {
      const size_t same = Same(child->tokens, block);
      if (same < block.size() && same < child->tokens.size()) continue;
      next = child.get();  // one begins with the other: the longer one stays
      if (same == child->tokens.size() && same < block.size()) {
        next->tokens.assign(block.begin(), block.end());
        next->page = sequence.page(known / kPage);
      }
      break;
    }
    if (next == nullptr) {
      if (size_ >= most_pages_) {
        Touch(at);  // nothing above the new page goes
        if (by_use_.empty() || by_use_.back() == at) return;
        DropOldest();
      }
      auto node = std::make_unique<Node>();
      node->tokens.assign(block.begin(), block.end());
      node->page = sequence.page(known / kPage);
      node->parent = at;
      by_use_.push_front(node.get());
      node->use = by_use_.begin();
      ++size_;
      next = node.get();
      at->children.push_back(std::move(node));
    }
    at = next;
    if (at->tokens.size() < kPage) break;
  }
  Touch(at);
}

bool PrefixTree::DropOldest() {
  if (by_use_.empty()) return false;
  Node* oldest = by_use_.back();
  if (!oldest->children.empty()) return false;
  by_use_.pop_back();
  --size_;
  std::vector<std::unique_ptr<Node>>& siblings = oldest->parent->children;
  siblings.erase(std::find_if(siblings.begin(), siblings.end(), [&](const auto& one) { return one.get() == oldest; }));
  return true;
}

void PrefixTree::Clear() {
  while (DropOldest()) {
  }
}

}  // namespace atelier::runtime
