// TER (Snover et al. 2006), as sacrebleu 2.6 counts it after Tercom: insertions, deletions, substitutions and shifts of
// phrases that turn a text into its reference, per word of the references (their mean length). 100 and more for texts
// that share nothing; lower is better.
#pragma once

#include "evaluate/gram_matcher.h"
#include "evaluate/reference_metric.h"
#include "evaluate/score_tokens.h"

namespace atelier::evaluate {

struct TerOptions {
  bool normalized = false;     // punctuation and symbols are words of their own
  bool no_punct = false;       // without . , ? : ; ! " ( )
  bool asian_support = false;  // with normalized: ideographs are words; with no_punct: without Asian punctuation
  bool case_sensitive = false;

  void Declare(MetricSettings& settings);
};

class Ter : public ReferenceMetric {
 public:
  explicit Ter(const TerOptions& options);
  std::string title() const override { return "TER"; }
  bool lower_is_better() const override { return true; }
  // [edits to the nearest reference, words of all references, references, 1]
  size_t width() const override { return 4; }
  void Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) override;
  double Score(std::span<const int64_t> sum, size_t which) const override;
  std::string Fields(bool line) const override;
  std::string version() const override { return "2.6.0"; }
  Json Details(std::span<const int64_t> sum) const override;

 private:
  void Split(std::string_view line, TokenLine* out) const;
  static double ReferenceLength(std::span<const int64_t> sum);

  TerOptions options_;
  ScoreTokenizer tokenizer_;
  TokenLine hypothesis_;
  std::vector<TokenLine> references_;
  std::vector<std::string> once_;  // by reference, prepared once
  SymbolTable symbols_;
};

// Edits and shifts that turn `text` into `reference`, words as numbers: greedy, the shift that saves most edits first,
// with Tercom's limits (phrases of 10 words, moved by 50, distances within 25 cells of the diagonal) and sacrebleu's
// (1,000 shifts tried).
int64_t EditsWithShifts(std::vector<uint32_t> text, std::span<const uint32_t> reference);

}  // namespace atelier::evaluate
