#include "data/dedup/shingles.h"

#include <algorithm>
#include <bit>

namespace atelier::data {
namespace {

inline uint32_t Finish(uint64_t h) {
  h ^= h >> 32;
  h *= kHashOther;
  return static_cast<uint32_t>(h >> 32);
}

}  // namespace

void AppendShingles(const FoldedText& text, ShingleSize size, std::vector<uint32_t>* out) {
  size_t begin = 0;
  for (const FoldedText::Run& run : text.runs) {
    const uint64_t* units = text.units.data() + begin;
    const size_t n = run.end - begin, k = static_cast<size_t>(run.words ? size.words : size.chars);
    begin = run.end;
    if (n <= k) {
      uint64_t h = n;
      for (size_t i = 0; i < n; ++i) h = (h + units[i]) * kHashOdd;
      out->push_back(Finish(h));
      continue;
    }
    const size_t first = out->size();
    out->resize(first + n - k + 1);
    uint32_t* to = out->data() + first;
    if (k == 3) {  // the common widths, unrolled
      for (size_t i = 0; i + 3 <= n; ++i) {
        to[i] = Finish((((3 + units[i]) * kHashOdd + units[i + 1]) * kHashOdd + units[i + 2]) * kHashOdd);
      }
    } else if (k == 2) {
      for (size_t i = 0; i + 2 <= n; ++i) to[i] = Finish(((2 + units[i]) * kHashOdd + units[i + 1]) * kHashOdd);
    } else {
      for (size_t i = 0; i + k <= n; ++i) {
        uint64_t h = k;
        for (size_t j = 0; j < k; ++j) h = (h + units[i + j]) * kHashOdd;
        to[i] = Finish(h);
      }
    }
  }
}

double Comparer::Jaccard(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  const size_t needed = std::bit_ceil(4 * (a.size() + b.size()) + 4);
  if (slots_.size() < needed || turn_ > 0xfffffff0u) {
    slots_.assign(std::max(slots_.size(), needed), {0, 0});
    turn_ = 0;
  }
  const size_t mask = needed - 1;  // only as much of the table as this pair fills
  turn_ += 2;                      // even: only a has it, odd: b has it
  size_t all = 0, common = 0;
  const auto find = [&](uint32_t value) -> Slot& {
    size_t at = value & mask;  // shingles are hashes already
    while (slots_[at].turn >= turn_ && slots_[at].value != value) at = (at + 1) & mask;
    return slots_[at];
  };
  for (uint32_t value : a) {
    Slot& slot = find(value);
    if (slot.turn >= turn_) continue;
    slot = {value, turn_};
    ++all;
  }
  for (uint32_t value : b) {
    Slot& slot = find(value);
    if (slot.turn == turn_ + 1) continue;
    slot.turn < turn_ ? ++all : ++common;
    slot = {value, turn_ + 1};
  }
  return all == 0 ? 0 : static_cast<double>(common) / static_cast<double>(all);
}

}  // namespace atelier::data
