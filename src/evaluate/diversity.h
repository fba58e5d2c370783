// How varied a set of texts is, by n-grams of length 1 to N:
//
//   distinct-n    different n-grams over all n-grams of all texts together (Li et al. 2016)
//   entropy       of the n-grams' frequencies, in nats (Zhang et al. 2018: Ent-n)
//   repetition    of a text, the share of its n-grams that it had before (Welleck et al. 2020: seq-rep-n); their mean
//   self-BLEU     the mean BLEU of each text against all others (Zhu et al. 2018, Texygen), by n-grams of up to n;
//   lower is
//                 more varied
//
// The BLEU of a text is sacrebleu 2.6's of a sentence (bleu.h: orders that a text is too short for are left out), here
// in one pass over the n-grams instead of one over all texts for each: an n-gram counts up to the most often that
// another text has it, and that is its largest count in one text or, for the text that holds this, its second largest.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "evaluate/reference_metric.h"

namespace atelier::evaluate {

struct DiversityOptions {
  int64_t n = 4;                   // the longest n-grams
  std::string tokenize = "units";  // units.h's; zh-words: a segmenter's words; 13a, intl, zh, char, none: BLEU's
  bool lowercase = false;          // of BLEU's tokenizers; the others have only lower case
  std::string smooth = "floor";    // of self-BLEU, with its value (bleu.h); floor 0.1 is Texygen's
  std::optional<double> smooth_value = std::nullopt;
  int64_t sample = 0;  // so many texts, drawn at random, instead of all; 0 for all
  int64_t seed = 12345;
  WordSourceFn words = nullptr;  // wanted by zh-words

  void Declare(MetricSettings& settings);
};

struct Diversity {
  size_t texts = 0, tokens = 0;        // that were measured: texts without a token are not
  size_t without_tokens = 0;           // texts left out
  size_t repeats = 0;                  // texts equal to an earlier one, byte by byte
  size_t first_repeat = 0, first = 0;  // line numbers of the first of them and of what it repeats; 0 for none
  // By n - 1. NaN is undefined: of no n-grams at all, self-BLEU of a single text.
  std::vector<int64_t> ngrams, different;
  std::vector<double> distinct, entropy, repetition;
  std::vector<double> self_bleu;  // in 0..100
  // "sample:500|seed:12345|rng:splitmix64|case:lc|tok:units|n:4|eff:yes|smooth:floor[0.10]|version:2.6.0"
  std::string signature;
};

// The texts that --sample draws: `sample` of them without replacement, in their order, all where there are no more.
// Draw i of Rng(seed, "diversity") exchanges place i with i + Below(texts - i).
std::vector<size_t> DrawTexts(size_t texts, int64_t sample, uint64_t seed);

// Throws Error(kUsage) for names that are none, Error(kInvalidInput) for texts without one token. REQUIRES: fewer than
// 2^32 tokens.
Diversity MeasureDiversity(std::span<const std::string_view> texts, const DiversityOptions& options,
                           const ProgressFn& progress = nullptr);

}  // namespace atelier::evaluate
