// ROUGE (Lin 2004) of a file: the mean F1 over lines of ROUGE-1, -2, -L and -Lsum, in 0..1, each line's as rouge-score
// 0.1.2 has it (rouge_scores.h); of several references each score takes the best.
#pragma once

#include <string>
#include <vector>

#include "evaluate/reference_metric.h"
#include "evaluate/rouge_scores.h"

namespace atelier::evaluate {

struct RougeOptions {
  std::string tokenize = "rouge";   // zh: Chinese characters, too; zh-words: a segmenter's words (rouge_tokens.h)
  bool stem = false;                // stems of English words (Porter's, as NLTK has it)
  std::string sentence_break = "";  // the text that ends a sentence within a line, for ROUGE-Lsum; "" for none
  WordSourceFn words = nullptr;     // wanted by zh-words

  void Declare(MetricSettings& settings);
};

class Rouge : public ReferenceMetric {
 public:
  explicit Rouge(const RougeOptions& options);  // throws Error(kUsage) for a name that is none, and words from nowhere
  std::string title() const override { return "ROUGE"; }
  std::vector<std::string> names() const override { return {"rouge1", "rouge2", "rougeL", "rougeLsum"}; }
  double scale() const override { return 1; }
  // [F1, precision and recall by score in ScoreUnits, 1]
  size_t width() const override { return 13; }
  void Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) override;
  double Score(std::span<const int64_t> sum, size_t which) const override;
  std::string Fields(bool line) const override;
  std::string version() const override { return "0.1.2"; }
  // Texts in which rouge-score sees no token: a 0 that says nothing of them.
  Note Doubt(std::span<const std::string_view> hypotheses) const override;
  Json Details(std::span<const int64_t> sum) const override;  // {"precision":{"rouge1":..},"recall":{..}}
  Json LineDetails(std::span<const int64_t> counts) const override { return Details(counts); }

 private:
  RougeOptions options_;
  WordSource words_;
  RougeScorer scorer_;
  std::vector<std::string> broken_;  // texts whose sentences end in line breaks, kept for their memory
  std::vector<std::string_view> broken_references_;
};

}  // namespace atelier::evaluate
