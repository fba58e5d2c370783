// Longest common subsequences of sequences of small numbers, a machine word of one sequence at a time: Hyyrö 2004,
// "Bit-parallel LCS-length computation revisited". Not thread-safe; buffers are kept between calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace atelier::evaluate {

class LongestCommon {
 public:
  // The first sequence, for the calls that follow. Memory for the largest number in it; `first` must outlive them.
  void SetFirst(std::span<const uint32_t> first);
  // Length of the longest common subsequence with `second`. n m / 64 steps, memory for `first` alone.
  size_t Length(std::span<const uint32_t> second);
  // Marks with 1 the places of `first` that are in one such subsequence: the one that rouge-score finds, which goes
  // back from the ends, takes what is equal, and else gives up an element of `second` only where the first's would cost
  // more. REQUIRES: marks has first's size. Memory n sqrt(m) / 64 words where all of the table would be large.
  void Mark(std::span<const uint32_t> second, std::span<uint8_t> marks);

 private:
  const uint64_t* Mask(uint32_t element) const;  // the places of an element; nullptr: there is none
  void Advance(const uint64_t* mask, uint64_t* row) const;

  static constexpr uint32_t kNoSlot = UINT32_MAX;
  std::span<const uint32_t> first_;
  size_t words_ = 0;
  std::vector<uint32_t> slots_, used_;  // [element], elements of first
  std::vector<uint64_t> masks_;         // [slot][word]
  std::vector<uint64_t> row_, checkpoints_, block_;
};

}  // namespace atelier::evaluate
