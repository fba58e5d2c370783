// ROUGE (Lin 2004, "ROUGE: a package for automatic evaluation of summaries") with the arithmetic of rouge-score 0.1.2:
// ROUGE-1 and -2 over clipped counts, ROUGE-L over the longest common subsequence, ROUGE-Lsum over the union of those
// of each sentence of the reference with every sentence of the hypothesis, no token counted twice. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "evaluate/lcs.h"
#include "evaluate/rouge_tokens.h"

namespace atelier::evaluate {

struct RougeScore {
  double precision = 0, recall = 0, f1 = 0;  // in [0, 1]; 0 where either side has no token
};

struct RougeScores {
  RougeScore rouge1, rouge2, rougeL, rougeLsum;
};

class RougeScorer {
 public:
  explicit RougeScorer(RougeTokenizer tokenizer = RougeTokenizer()) : tokenizer_(std::move(tokenizer)) {}

  // Line breaks end sentences, which only ROUGE-Lsum asks for.
  RougeScores Score(std::string_view reference, std::string_view hypothesis);
  // Of several references the best by F1, each measure on its own; the first of equals. REQUIRES: at least one.
  RougeScores Score(std::span<const std::string_view> references, std::string_view hypothesis);

 private:
  RougeScores Compare(const RougeText& reference, const RougeText& hypothesis);
  size_t SharedTokens(std::span<const uint32_t> a, std::span<const uint32_t> b);
  size_t SharedPairs(std::span<const uint32_t> a, std::span<const uint32_t> b);
  size_t SummaryHits(const RougeText& reference, const RougeText& hypothesis);

  RougeTokenizer tokenizer_;
  LongestCommon common_;
  RougeText reference_, hypothesis_;
  std::vector<int32_t> left_, right_;  // [token], all 0 between calls
  std::vector<uint64_t> pairs_a_, pairs_b_;
  std::vector<uint8_t> marks_, all_marks_;
};

}  // namespace atelier::evaluate
