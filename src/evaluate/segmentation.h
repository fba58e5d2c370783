// How well words are found: precision, recall, F1, and recall of words in and out of the training vocabulary, as the
// bakeoffs define them (Sproat and Emerson 2003, "The First International Chinese Word Segmentation Bakeoff"). A word
// is right where the gold has a word with the same begin and end.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

namespace atelier::evaluate {

struct SegmentationScore {
  int64_t gold = 0, found = 0, right = 0;  // words
  int64_t unknown = 0, unknown_right = 0;  // gold words that the training text does not have
  // All in [0, 1]; 0 where there is nothing to divide by.
  double precision() const;
  double recall() const;
  double f1() const;
  double unknown_rate() const;    // share of the gold words
  double unknown_recall() const;  // OOV recall
  double known_recall() const;    // IV recall
};

class SegmentationMeasure {
 public:
  // Words of the training text, for the recalls in and out of vocabulary.
  void Know(std::string_view word) { known_.emplace(word); }
  // One line. Words that are white space count on neither side. Throws Error(kInvalidInput) when the two are not words
  // of the same text.
  void Add(std::span<const std::string_view> gold, std::span<const std::string_view> found);
  const SegmentationScore& score() const { return score_; }

 private:
  std::unordered_set<std::string> known_;
  SegmentationScore score_;
};

}  // namespace atelier::evaluate
