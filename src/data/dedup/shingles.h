// Texts as sets of shingles (Broder 1997; Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3).
//
// A run of text without spaces (Han, kana, Thai; symbols and emoji too) gives its stretches of `chars` characters, a
// run of words its stretches of `words` words; a run that is shorter than that is one shingle. Runs end where the kind
// changes, so mixed text works; white space and punctuation only separate. A shingle is a 32-bit hash: in two texts of
// 1,000 shingles one of them is mistaken for another once in 2,000 pairs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/dedup/fold.h"

namespace atelier::data {

struct ShingleSize {
  int chars = 3, words = 2;  // 1..16
};

// Appends the text's shingles in their order, repeated ones too.
void AppendShingles(const FoldedText& text, ShingleSize size, std::vector<uint32_t>* out);

// Compares lists of shingles as sets. One per thread.
class Comparer {
 public:
  // |a and b| / |a or b|; 0 for two empty ones.
  double Jaccard(std::span<const uint32_t> a, std::span<const uint32_t> b);

 private:
  struct Slot {
    uint32_t value, turn;  // turn: the comparison that wrote it, and whether b has it too
  };
  std::vector<Slot> slots_;  // open addressing, at most a quarter full
  uint32_t turn_ = 0;
};

}  // namespace atelier::data
