// Texts as sets of shingles (Broder 1997; Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3).
//
// A run of text without spaces (Han, kana, Thai; symbols and emoji too) gives its stretches of `chars` characters, a
// run of words its stretches of `words` words; a run that is shorter than that is one shingle. Runs end where the kind
// changes, so mixed text works; white space and punctuation only separate. A shingle is a 32-bit hash: in two texts of
// 1,000 shingles one of them is mistaken for another once in 2,000 pairs.
#pragma once

#include <cstdint>
#include <vector>

#include "data/dedup/fold.h"

namespace atelier::data {

struct ShingleSize {
  int chars = 3, words = 2;  // 1..16
};

class Shingler {
 public:
  explicit Shingler(ShingleSize size) : size_(size) {}
  // Appends the text's shingles in their order, repeated ones too.
  void Append(const FoldedText& text, std::vector<uint32_t>* out);

 private:
  void EndRun(int width, std::vector<uint32_t>* out);

  ShingleSize size_;
  std::vector<uint64_t> run_;  // the hashes of a run's units
};

// Sorted, each once.
void MakeSet(std::vector<uint32_t>* shingles);
// |a and b| / |a or b| of two sorted sets; 0 for two empty ones.
double Jaccard(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b);

}  // namespace atelier::data
