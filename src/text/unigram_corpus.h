// What the unigram trainer works on: the corpus's different words as numbers of characters, and substrings of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/training_text.h"

namespace atelier::text {

// A stretch of one word without rare characters.
struct UnigramSegment {
  uint32_t begin, size;  // in UnigramCorpus::text
  uint32_t count;        // of the word
};

struct UnigramCorpus {
  static constexpr uint32_t kLongest = 256;  // characters of a segment: longer stretches are cut

  std::vector<char32_t> characters;  // [0] stands for borders; the commonest first
  std::vector<uint64_t> counts;      // [characters]
  std::vector<uint32_t> text;        // characters' numbers, segments with a 0 behind each
  std::vector<UnigramSegment> segments;
};

// Throws kResourceExhausted beyond 2^32 characters or where a word occurs more than 2^32 - 1 times.
UnigramCorpus MakeUnigramCorpus(const WordCounts& words, double coverage);

// A candidate: some place where it stands, its length in characters.
struct UnigramPiece {
  uint32_t begin, size;
  double score = 0;  // at first how many characters of the corpus it could cover, then the logarithm of a probability
};

// All characters, and the substrings of 2 to `longest` characters that occur at least twice and cannot be continued in
// one way only, the best `most` of them by count times length. Sorted by their characters' numbers.
std::vector<UnigramPiece> UnigramCandidates(const UnigramCorpus& corpus, uint32_t longest, size_t most, int threads);

}  // namespace atelier::text
