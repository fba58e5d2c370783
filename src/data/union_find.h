// Disjoint sets over records 0..n-1 (Tarjan 1975): union by size, path halving. 4 bytes a record.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace atelier::data {

class UnionFind {
 public:
  void Grow(size_t n) { parent_.resize(n, kRoot | 1); }
  size_t size() const { return parent_.size(); }

  uint32_t Find(uint32_t i) {
    while ((parent_[i] & kRoot) == 0) {
      const uint32_t up = parent_[i];
      if ((parent_[up] & kRoot) != 0) return up;
      parent_[i] = parent_[up];
      i = parent_[i];
    }
    return i;
  }
  // How many records are in i's set.
  uint32_t Count(uint32_t i) { return parent_[Find(i)] & ~kRoot; }
  bool Union(uint32_t a, uint32_t b) {  // false: they were together
    a = Find(a), b = Find(b);
    if (a == b) return false;
    if ((parent_[a] & ~kRoot) < (parent_[b] & ~kRoot)) std::swap(a, b);
    parent_[a] += parent_[b] & ~kRoot;
    parent_[b] = a;
    return true;
  }

  static constexpr uint32_t kMostRecords = 0x7fffffffu;

 private:
  static constexpr uint32_t kRoot = 0x80000000u;  // a root holds its set's size instead of a parent

  std::vector<uint32_t> parent_;
};

}  // namespace atelier::data
