#include "evaluate/rouge_scores.h"

#include <algorithm>

namespace atelier::evaluate {
namespace {

RougeScore FromCounts(size_t hits, size_t reference, size_t hypothesis) {
  RougeScore score;
  if (reference > 0) score.recall = static_cast<double>(hits) / static_cast<double>(reference);
  if (hypothesis > 0) score.precision = static_cast<double>(hits) / static_cast<double>(hypothesis);
  if (hits > 0) score.f1 = 2 * score.precision * score.recall / (score.precision + score.recall);
  return score;
}

// Neighbours as one number each, sorted.
void Pairs(std::span<const uint32_t> tokens, std::vector<uint64_t>* pairs) {
  pairs->clear();
  for (size_t i = 1; i < tokens.size(); ++i) pairs->push_back(uint64_t{tokens[i - 1]} << 32 | tokens[i]);
  std::sort(pairs->begin(), pairs->end());
}

size_t Less(size_t n) { return n == 0 ? 0 : n - 1; }

}  // namespace

RougeScores RougeScorer::Score(std::string_view reference, std::string_view hypothesis) {
  return Score({&reference, 1}, hypothesis);
}

RougeScores RougeScorer::Score(std::span<const std::string_view> references, std::string_view hypothesis) {
  tokenizer_.Tokenize(hypothesis, &hypothesis_);
  RougeScores best;
  for (size_t i = 0; i < references.size(); ++i) {
    tokenizer_.Tokenize(references[i], &reference_);
    const RougeScores scores = Compare(reference_, hypothesis_);
    for (const auto measure :
         {&RougeScores::rouge1, &RougeScores::rouge2, &RougeScores::rougeL, &RougeScores::rougeLsum}) {
      if (i == 0 || (scores.*measure).f1 > (best.*measure).f1) best.*measure = scores.*measure;
    }
  }
  return best;
}

RougeScores RougeScorer::Compare(const RougeText& reference, const RougeText& hypothesis) {
  const std::span<const uint32_t> r = reference.tokens, h = hypothesis.tokens;
  if (left_.size() < tokenizer_.size()) {
    left_.resize(tokenizer_.size());
    right_.resize(tokenizer_.size());
  }
  RougeScores scores;
  scores.rouge1 = FromCounts(SharedTokens(r, h), r.size(), h.size());
  scores.rouge2 = FromCounts(SharedPairs(r, h), Less(r.size()), Less(h.size()));
  common_.SetFirst(r);
  const size_t length = common_.Length(h);
  scores.rougeL = r.empty() || h.empty() ? RougeScore{} : FromCounts(length, r.size(), h.size());
  if (reference.sentences.size() == 1 && hypothesis.sentences.size() == 1) {
    scores.rougeLsum = scores.rougeL;  // one subsequence, nothing to unite
  } else if (!r.empty() && !h.empty()) {
    scores.rougeLsum = FromCounts(SummaryHits(reference, hypothesis), r.size(), h.size());
  }
  return scores;
}

size_t RougeScorer::SharedTokens(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  size_t hits = 0;
  for (const uint32_t token : a) ++left_[token];
  for (const uint32_t token : b) hits += left_[token]-- > 0 ? 1 : 0;
  for (const uint32_t token : a) left_[token] = 0;
  for (const uint32_t token : b) left_[token] = 0;
  return hits;
}

size_t RougeScorer::SharedPairs(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  Pairs(a, &pairs_a_);
  Pairs(b, &pairs_b_);
  size_t hits = 0;
  for (size_t i = 0, j = 0; i < pairs_a_.size() && j < pairs_b_.size();) {
    if (pairs_a_[i] == pairs_b_[j]) {
      ++hits;
      ++i;
      ++j;
    } else if (pairs_a_[i] < pairs_b_[j]) {
      ++i;
    } else {
      ++j;
    }
  }
  return hits;
}

size_t RougeScorer::SummaryHits(const RougeText& reference, const RougeText& hypothesis) {
  const std::span<const uint32_t> r = reference.tokens, h = hypothesis.tokens;
  for (const uint32_t token : r) ++left_[token];
  for (const uint32_t token : h) ++right_[token];
  size_t hits = 0, begin = 0;
  for (const size_t end : reference.sentences) {
    const std::span<const uint32_t> sentence = r.subspan(begin, end - begin);
    begin = end;
    if (sentence.empty()) continue;
    common_.SetFirst(sentence);
    marks_.resize(sentence.size());
    all_marks_.assign(sentence.size(), 0);
    size_t from = 0;
    for (const size_t to : hypothesis.sentences) {
      if (to > from) common_.Mark(h.subspan(from, to - from), marks_);
      for (size_t i = 0; to > from && i < marks_.size(); ++i) all_marks_[i] |= marks_[i];
      from = to;
    }
    for (size_t i = 0; i < sentence.size(); ++i) {
      if (all_marks_[i] == 0 || left_[sentence[i]] == 0 || right_[sentence[i]] == 0) continue;
      ++hits;
      --left_[sentence[i]];
      --right_[sentence[i]];
    }
  }
  for (const uint32_t token : r) left_[token] = 0;
  for (const uint32_t token : h) right_[token] = 0;
  return hits;
}

}  // namespace atelier::evaluate
