// Beam search over a Translator: the `width` likeliest continuations of every source, kept token by token.
#pragma once

#include <cstdint>
#include <vector>

#include "model/translator.h"

namespace atelier::model {

struct BeamOptions {
  int64_t width = 4;            // 1: greedy
  double length_penalty = 0.6;  // the exponent a below; 0: none, more favours longer ones
  int64_t longest = 256;        // tokens of a hypothesis; one that is as long must end there
  int64_t begin = 0, end = 0;   // marks
  std::vector<int64_t> never;   // tokens that do not come out: padding, the begin mark
};

struct Hypothesis {
  std::vector<int64_t> tokens;  // without marks
  double log_probability = 0;   // of the tokens and the end mark
  double score = 0;             // log_probability / ((5 + n) / 6)^a, n: tokens with the end mark (Wu et al. 2016)
  torch::Tensor attention;      // [n, source length] f32, on the CPU
};

// The best `width` (fewer where there are not so many) for each source, best first. source [batch, time], lengths
// [batch]. A step takes the best 2 width continuations of a source's beams: those that end are hypotheses, the best
// `width` others live on. It stops where no beam can still become better than the worst hypothesis, which loses
// nothing. Sets evaluation mode, wants no gradient. Throws kInternal for options that contradict each other.
std::vector<std::vector<Hypothesis>> BeamSearch(Translator& model, const torch::Tensor& source,
                                                const torch::Tensor& lengths, const BeamOptions& options);

}  // namespace atelier::model
