// Trains the segmenter's model from a corpus in which words are marked: an averaged structured perceptron (Collins,
// EMNLP 2002) over the features of segmenter_model.h. Integer arithmetic up to the last division: the same corpus gives
// the same bytes on every machine.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "text/segmenter_model.h"

namespace atelier::text {

// A corpus: one paragraph per line, words between white space, "word/tag" or plain. `words` are views into the text.
struct MarkedLine {
  std::vector<std::string_view> words;
  bool held_out = false;
};
// Lines go to the held-out part in runs of 100 (neighbours tell much about each other): run r is held out when
// SplitMix64 of seed + r is a multiple of 10. Empty lines keep their number. Throws Error(kInvalidInput) with file:line
// for text that is not UTF-8.
inline constexpr uint64_t kHeldOutSeed = 199801;
std::vector<MarkedLine> ReadMarked(std::string_view text, const std::string& file, uint64_t seed = kHeldOutSeed);

struct TrainSegmenterOptions {
  int rounds = 30;
  uint64_t seed = 1;
  std::string source;  // goes into the description
};

// From the lines that are not held out. Throws Error(kInvalidInput) where there is too little to learn from (fewer than
// 1000 words). Progress counts bytes of text over all rounds.
SegmenterWeights TrainSegmenter(const std::vector<MarkedLine>& lines, const TrainSegmenterOptions& options,
                                const ProgressFn& progress = nullptr);

}  // namespace atelier::text
