// How near short answers are to the right ones: exact match and token F1 after the normalisation of SQuAD (Rajpurkar et
// al. 2016; empty answers as in version 2.0), and for Chinese the same by characters. Of a file the means over lines,
// in 0..1; of several references each score takes the best.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate/reference_metric.h"

namespace atelier::evaluate {

enum class AnswerUnits {
  kWords,      // lower case, no ASCII punctuation, no "a", "an", "the"; words between white space
  kCharacters  // lower case, no punctuation or symbols; every Han, kana or Hangul character, other words as wholes
};

std::vector<std::string> AnswerTokens(std::string_view answer, AnswerUnits units);

struct AnswerScore {
  double exact = 0, f1 = 0;  // in [0, 1]
};
// The best of all right answers, each measure on its own. Two answers without tokens are equal; one of them is wrong.
// REQUIRES: at least one.
AnswerScore ScoreAnswer(std::string_view answer, std::span<const std::string_view> right,
                        AnswerUnits units = AnswerUnits::kWords);

struct ExactMatchOptions {
  std::string tokenize = "squad";  // zh: kCharacters

  void Declare(MetricSettings& settings);
};

class ExactMatch : public ReferenceMetric {
 public:
  explicit ExactMatch(const ExactMatchOptions& options);  // throws Error(kUsage) for a name that is none
  std::string title() const override { return "exact match"; }
  std::vector<std::string> names() const override { return {"exact_match", "f1"}; }
  double scale() const override { return 1; }
  size_t width() const override { return 3; }  // [exact, F1 in ScoreUnits, 1]
  void Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) override;
  double Score(std::span<const int64_t> sum, size_t which) const override;
  std::string Fields(bool line) const override;
  std::string version() const override { return "2.0"; }

 private:
  std::string tokenize_;
  AnswerUnits units_;
};

}  // namespace atelier::evaluate
