// BLEU (Papineni et al. 2002), as sacrebleu 2.6 counts it (Post 2018): the geometric mean of the precisions of 1- to
// 4-grams, each counted at most as often as one reference has it, times exp(1 - r / c) where the texts (c tokens) are
// shorter than the references nearest to them in length (r; of two equally near the shorter).
//
// Smoothing where a precision is zero, by the numbers of Chen and Cherry (2014): floor (their 1: `smooth_value` for the
// missing match), add-k (2: `smooth_value` more matches of more n-grams, from 2-grams on), exp (3: 1/2, 1/4 ... of a
// match), none.
#pragma once

#include "evaluate/gram_matcher.h"
#include "evaluate/reference_metric.h"
#include "evaluate/score_tokens.h"

namespace atelier::evaluate {

struct BleuOptions {
  std::string tokenize = "13a";                       // intl, zh, char, none
  std::string smooth = "exp";                         // floor, add-k, none
  std::optional<double> smooth_value = std::nullopt;  // of floor (else 0.1) and add-k (else 1)
  bool lowercase = false;
  int64_t max_order = 4;
  bool effective_order = false;  // leaves out orders that the texts are too short for; always so for single lines
  bool force = false;            // no doubt about texts that look tokenized already

  void Declare(MetricSettings& settings);
};

class Bleu : public ReferenceMetric {
 public:
  explicit Bleu(const BleuOptions& options);  // throws Error(kUsage) for a name that is none
  std::string title() const override { return "BLEU"; }
  // [length, length of the nearest reference, matches by order, n-grams by order]
  size_t width() const override { return 2 + 2 * order_; }
  void Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) override;
  double Score(std::span<const int64_t> sum, size_t which) const override;
  double LineScore(std::span<const int64_t> counts, size_t which) const override;
  std::string Fields(bool line) const override;
  std::string version() const override { return "2.6.0"; }
  Json Details(std::span<const int64_t> sum) const override;
  Note Doubt(std::span<const std::string_view> hypotheses) const override;

 private:
  double Compute(std::span<const int64_t> sum, bool effective, std::vector<double>* precisions) const;
  double BrevityPenalty(std::span<const int64_t> sum) const;

  BleuOptions options_;
  size_t order_;
  double smooth_value_ = 0;
  ScoreTokenizer tokenizer_;
  // Kept from line to line for their memory.
  TokenLine hypothesis_;
  std::vector<TokenLine> references_;
  std::vector<std::vector<uint32_t>> numbers_;
  std::vector<GramMatcher::Text> texts_;
  SymbolTable symbols_;
  GramMatcher matcher_;
};

}  // namespace atelier::evaluate
