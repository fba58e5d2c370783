#include "text/double_array.h"

#include <algorithm>

namespace atelier::text {
namespace {

constexpr uint32_t kUnitsInBlock = 256;  // units; an offset keeps its children inside one block
constexpr uint32_t kOpenBlocks = 16;     // how many of the last blocks are searched for room

class Builder {
 public:
  explicit Builder(std::span<const DoubleArray::Key> keys) : keys_(keys) {}

  std::vector<uint32_t> Run() {
    AddBlock();
    Take(0);
    bases_[0] = true;  // so that no child lands on the root
    if (keys_.empty()) return Finish();
    stack_.push_back({0, keys_.size(), 0, 0});
    while (!stack_.empty()) {
      const Node node = stack_.back();
      stack_.pop_back();
      Place(node);
    }
    return Finish();
  }

 private:
  struct Node {
    size_t begin, end, depth;  // its keys, and how many bytes they share
    uint32_t unit;
  };
  struct Child {
    unsigned char label;
    size_t begin;
  };

  void Place(const Node& node) {
    children_.clear();
    const bool ends = keys_[node.begin].first.size() == node.depth;
    if (ends) children_.push_back({0, node.begin});
    for (size_t i = node.begin + (ends ? 1 : 0); i < node.end; ++i) {
      const auto label = static_cast<unsigned char>(keys_[i].first[node.depth]);
      if (children_.empty() || children_.back().label != label || label == 0) children_.push_back({label, i});
    }
    const uint32_t base = FindBase(node.unit);
    bases_[base] = true;
    SetOffset(node.unit, base ^ node.unit);
    for (size_t c = 0; c < children_.size(); ++c) {
      const Child& child = children_[c];
      const uint32_t at = base ^ child.label;
      Take(at);
      if (child.label == 0) {
        units_[node.unit] |= 1u << 8;
        units_[at] = keys_[child.begin].second | 1u << 31;
        continue;
      }
      units_[at] = child.label;
      const size_t end = c + 1 < children_.size() ? children_[c + 1].begin : node.end;
      stack_.push_back({child.begin, end, node.depth + 1, at});
    }
  }

  void SetOffset(uint32_t unit, uint32_t offset) {
    units_[unit] |= offset < 1u << 21 ? offset << 10 : offset << 2 | 1u << 9;
  }

  // The first place where all children fit.
  uint32_t FindBase(uint32_t unit) {
    for (uint32_t at = first_free_; at != kNone; at = next_[at]) {
      const uint32_t base = at ^ children_[0].label, offset = base ^ unit;
      if (bases_[base] || (offset >= 1u << 21 && (offset & 0xFF) != 0)) continue;
      bool fits = true;
      for (size_t c = 1; c < children_.size() && fits; ++c) fits = !taken_[base ^ children_[c].label];
      if (fits) return base;
    }
    const auto begin = static_cast<uint32_t>(units_.size());
    AddBlock();
    return begin | (unit & 0xFF);
  }

  void AddBlock() {
    const auto begin = static_cast<uint32_t>(units_.size());
    if (begin >= kOpenBlocks * kUnitsInBlock) Close(begin - kOpenBlocks * kUnitsInBlock);
    units_.resize(begin + kUnitsInBlock);
    taken_.resize(begin + kUnitsInBlock);
    bases_.resize(begin + kUnitsInBlock);
    next_.resize(begin + kUnitsInBlock);
    previous_.resize(begin + kUnitsInBlock);
    for (uint32_t at = begin; at < begin + kUnitsInBlock; ++at) {
      previous_[at] = last_free_;
      next_[at] = kNone;
      (last_free_ == kNone ? first_free_ : next_[last_free_]) = at;
      last_free_ = at;
    }
  }

  void Take(uint32_t at) {
    taken_[at] = true;
    (previous_[at] == kNone ? first_free_ : next_[previous_[at]]) = next_[at];
    (next_[at] == kNone ? last_free_ : previous_[next_[at]]) = previous_[at];
  }

  // What stays free in a block gets labels that only an unused base would lead to.
  void Close(uint32_t begin) {
    uint32_t unused = begin;
    while (unused < begin + kUnitsInBlock && bases_[unused]) ++unused;
    for (uint32_t at = begin; at < begin + kUnitsInBlock; ++at) {
      if (taken_[at]) continue;
      Take(at);
      units_[at] = unused < begin + kUnitsInBlock ? (at ^ unused) & 0xFF : 0;
    }
  }

  std::vector<uint32_t> Finish() {
    const auto size = static_cast<uint32_t>(units_.size());
    for (uint32_t begin = size > kOpenBlocks * kUnitsInBlock ? size - kOpenBlocks * kUnitsInBlock : 0; begin < size;
         begin += kUnitsInBlock)
      Close(begin);
    return std::move(units_);
  }

  static constexpr uint32_t kNone = 0xFFFFFFFF;
  const std::span<const DoubleArray::Key> keys_;
  std::vector<uint32_t> units_, next_, previous_;
  std::vector<uint8_t> taken_, bases_;
  std::vector<Node> stack_;
  std::vector<Child> children_;
  uint32_t first_free_ = kNone, last_free_ = kNone;
};

}  // namespace

std::vector<uint32_t> DoubleArray::Build(std::span<const Key> keys) { return Builder(keys).Run(); }

DoubleArray DoubleArray::Of(std::vector<Key> keys) {
  std::stable_sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.first < b.first; });
  const auto same = [](const Key& a, const Key& b) { return a.first == b.first; };
  keys.erase(std::unique(keys.begin(), keys.end(), same), keys.end());
  return DoubleArray(Build(keys));
}

}  // namespace atelier::text
