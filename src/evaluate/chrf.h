// chrF (Popović 2015) and chrF++ (Popović 2017), as sacrebleu 2.6 counts them: the F-score of character n-grams, and
// with word_order 2 of word n-grams too, recall weighing `beta` squared times as much as precision. Of several
// references the one with the best F-score counts.
#pragma once

#include "evaluate/gram_matcher.h"
#include "evaluate/reference_metric.h"

namespace atelier::evaluate {

struct ChrfOptions {
  int64_t char_order = 6;
  int64_t word_order = 0;  // 2: chrF++
  int64_t beta = 2;
  bool lowercase = false;
  bool whitespace = false;  // white space is among the characters
  bool eps_smoothing =
      false;  // the mean of the orders' F-scores, 1e-16 for what is not there; else orders that a text is
              // too short for are left out, and the F-score is that of the mean precision and recall

  void Declare(MetricSettings& settings);
};

class Chrf : public ReferenceMetric {
 public:
  explicit Chrf(const ChrfOptions& options);
  std::string title() const override;
  // [n-grams of the text, of the reference, matches] by order, characters before words
  size_t width() const override { return 3 * (chars_ + words_); }
  void Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) override;
  double Score(std::span<const int64_t> sum, size_t which) const override;
  std::string Fields(bool line) const override;
  std::string version() const override { return "2.6.0"; }

 private:
  // A text as code points, and as words with their outer punctuation cut off.
  struct Prepared {
    std::string lower;
    std::vector<uint32_t> characters, numbers;
    std::vector<std::string_view> words;
  };
  void Prepare(std::string_view text, Prepared* out) const;
  void Hold(const Prepared& hypothesis, const Prepared& reference, int64_t* counts);

  ChrfOptions options_;
  size_t chars_, words_;
  Prepared hypothesis_;
  std::vector<Prepared> references_;
  std::vector<int64_t> matches_, candidate_;
  SymbolTable symbols_;
  GramMatcher matcher_;
};

}  // namespace atelier::evaluate
