#include "evaluate/lcs.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace atelier::evaluate {

void LongestCommon::SetFirst(std::span<const uint32_t> first) {
  for (const uint32_t element : used_) slots_[element] = kNoSlot;
  used_.clear();
  first_ = first;
  words_ = (first.size() + 63) / 64;
  masks_.clear();
  for (size_t i = 0; i < first.size(); ++i) {
    const uint32_t element = first[i];
    if (element >= slots_.size()) slots_.resize(element + size_t{1}, kNoSlot);
    if (slots_[element] == kNoSlot) {
      slots_[element] = static_cast<uint32_t>(used_.size());
      used_.push_back(element);
      masks_.resize(masks_.size() + words_);
    }
    masks_[slots_[element] * words_ + i / 64] |= uint64_t{1} << (i % 64);
  }
}

const uint64_t* LongestCommon::Mask(uint32_t element) const {
  if (element >= slots_.size() || slots_[element] == kNoSlot) return nullptr;
  return masks_.data() + slots_[element] * words_;
}

// A row holds, for the elements of `second` so far, a 0 at every place of `first` where the longest common subsequence
// of what is before it and of what includes it differ.
void LongestCommon::Advance(const uint64_t* mask, uint64_t* row) const {
  if (mask == nullptr) return;
  uint64_t carry = 0;
  for (size_t w = 0; w < words_; ++w) {
    const uint64_t old = row[w], hit = old & mask[w];
    const uint64_t sum = old + hit, carried = sum + carry;
    carry = static_cast<uint64_t>(sum < old) | static_cast<uint64_t>(carried < sum);
    row[w] = carried | (old & ~mask[w]);
  }
}

size_t LongestCommon::Length(std::span<const uint32_t> second) {
  row_.assign(words_, ~uint64_t{0});
  for (const uint32_t element : second) Advance(Mask(element), row_.data());
  size_t length = 0;
  for (size_t w = 0; w < words_; ++w) length += static_cast<size_t>(std::popcount(~row_[w]));
  return length;  // places beyond the end stay 1
}

void LongestCommon::Mark(std::span<const uint32_t> second, std::span<uint8_t> marks) {
  std::fill(marks.begin(), marks.end(), uint8_t{0});
  if (first_.empty() || second.empty()) return;
  constexpr size_t kMostWords = size_t{1} << 22;  // rows of all of `second` at once, if they take no more than this
  const size_t n = second.size();
  const size_t step = n * words_ <= kMostWords ? n : static_cast<size_t>(std::ceil(std::sqrt(static_cast<double>(n))));
  row_.assign(words_, ~uint64_t{0});
  checkpoints_.clear();
  for (size_t j = 0; j < n; ++j) {
    if (j % step == 0) checkpoints_.insert(checkpoints_.end(), row_.begin(), row_.end());
    if (step < n) Advance(Mask(second[j]), row_.data());
  }
  size_t i = first_.size(), j = n;
  while (i > 0 && j > 0) {
    const size_t begin = (j - 1) / step * step;  // rows after second[begin] .. second[j - 1]
    block_.resize(step * words_);
    row_.assign(checkpoints_.begin() + static_cast<ptrdiff_t>(begin / step * words_),
                checkpoints_.begin() + static_cast<ptrdiff_t>((begin / step + 1) * words_));
    for (size_t at = begin; at < j; ++at) {
      Advance(Mask(second[at]), row_.data());
      std::copy(row_.begin(), row_.end(), block_.begin() + static_cast<ptrdiff_t>((at - begin) * words_));
    }
    while (i > 0 && j > begin) {
      if (first_[i - 1] == second[j - 1]) {
        marks[--i] = 1;
        --j;
      } else if ((block_[(j - 1 - begin) * words_ + (i - 1) / 64] >> ((i - 1) % 64) & 1) == 0) {
        --j;
      } else {
        --i;
      }
    }
  }
}

}  // namespace atelier::evaluate
