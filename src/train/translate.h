// Texts through a trained translator (model/translator.h), by beam search.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/beam_search.h"
#include "report/chart.h"
#include "text/tokenizer.h"
#include "train/examples.h"
#include "train/settings.h"

namespace atelier::train {

// A translator with what stands around it.
struct TranslatorView {
  model::Translator& model;
  const text::Tokenizer& source;
  const text::Tokenizer& target;
  DataSettings data;  // lengths
};

struct TranslateOptions {
  int64_t beam = 4;
  double length_penalty = 0.6;
  int64_t longest = 0;  // tokens of a hypothesis; 0: data.sequence_length less the mark
  int64_t batch = 32;   // sources at once
};

struct Translation {
  std::string text;
  double score = 0, log_probability = 0;  // model/beam_search.h
  std::vector<std::string> tokens;        // of the hypothesis, the last is its end mark
  torch::Tensor attention;                // [tokens, source tokens]
};

struct Translated {
  std::vector<std::string> source_tokens;
  bool truncated = false;               // the source was longer than data.source_length
  std::vector<Translation> hypotheses;  // best first
};

// Each source's hypotheses, in the sources' order.
std::vector<Translated> Translate(const TranslatorView& view, std::span<const std::string> sources,
                                  const TranslateOptions& options);

// Where a hypothesis looked, as a picture: rows are its tokens, columns those of the source.
report::HeatMap AttentionPicture(const Translated& translated, const Translation& hypothesis, bool chinese);

// The first `count` rows of examples of pairs, translated: what samples show.
struct PairSample {
  std::string source, reference, hypothesis;
};
std::vector<PairSample> SamplePairs(const TranslatorView& view, const Examples& examples, int64_t count);

}  // namespace atelier::train
