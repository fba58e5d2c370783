#include "evaluate/exact_match.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::evaluate {
namespace {

const std::vector<std::string> kTokenizers = {"squad", "zh"};

// What Python's str.split takes for white space.
bool IsBlank(char32_t c) { return text::IsSpace(c) || (c >= 0x1C && c <= 0x1F); }

bool IsArticle(std::u32string_view word) { return word == U"a" || word == U"an" || word == U"the"; }

// Articles between word boundaries become blanks; a boundary is where a letter or number meets anything else.
void BlankArticles(std::u32string* text) {
  const auto in_word = [&](size_t i) { return text::IsLetter((*text)[i]) || text::IsNumber((*text)[i]); };
  for (size_t begin = 0; begin < text->size();) {
    size_t end = begin;
    while (end < text->size() && in_word(end)) ++end;
    if (IsArticle(std::u32string_view(*text).substr(begin, end - begin))) {
      std::fill(text->begin() + static_cast<ptrdiff_t>(begin), text->begin() + static_cast<ptrdiff_t>(end), U' ');
    }
    begin = std::max(end, begin + 1);
  }
}

bool StandsAlone(char32_t c) {
  return text::IsHan(c) || (c >= 0x3041 && c <= 0x30FF && text::IsLetter(c)) || (c >= 0xAC00 && c <= 0xD7A3);
}

AnswerScore Compare(std::vector<std::string> a, std::vector<std::string> b) {
  AnswerScore score;
  score.exact = a == b ? 1 : 0;
  if (a.empty() || b.empty()) {
    score.f1 = score.exact;
    return score;
  }
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::vector<std::string> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  if (both.empty()) return score;
  const auto hits = static_cast<double>(both.size());
  const double precision = hits / static_cast<double>(a.size()), recall = hits / static_cast<double>(b.size());
  score.f1 = 2 * precision * recall / (precision + recall);
  return score;
}

}  // namespace

std::vector<std::string> AnswerTokens(std::string_view answer, AnswerUnits units) {
  std::u32string text = text::DecodeUtf8(text::ToLower(answer));
  const bool words = units == AnswerUnits::kWords;
  std::erase_if(text, [&](char32_t c) {
    return words ? text::IsAsciiPunctuation(c) : text::IsPunctuation(c) || text::IsSymbol(c);
  });
  if (words) BlankArticles(&text);
  std::vector<std::string> tokens;
  bool open = false;
  for (const char32_t c : text) {
    if (IsBlank(c)) {
      open = false;
    } else if (!words && StandsAlone(c)) {
      tokens.push_back(text::EncodeUtf8({&c, 1}));
      open = false;
    } else {
      if (!open) tokens.emplace_back();
      open = true;
      text::AppendUtf8(&tokens.back(), c);
    }
  }
  return tokens;
}

AnswerScore ScoreAnswer(std::string_view answer, std::span<const std::string_view> right, AnswerUnits units) {
  const std::vector<std::string> tokens = AnswerTokens(answer, units);
  AnswerScore best;
  for (const std::string_view one : right) {
    const AnswerScore score = Compare(tokens, AnswerTokens(one, units));
    best.exact = std::max(best.exact, score.exact);
    best.f1 = std::max(best.f1, score.f1);
  }
  return best;
}

void ExactMatchOptions::Declare(MetricSettings& settings) {
  settings.Choice("tokenize", &tokenize, kTokenizers, "English words; every Chinese character, other words as wholes");
}

ExactMatch::ExactMatch(const ExactMatchOptions& options)
    : tokenize_(options.tokenize), units_(options.tokenize == "zh" ? AnswerUnits::kCharacters : AnswerUnits::kWords) {
  if (std::find(kTokenizers.begin(), kTokenizers.end(), tokenize_) != kTokenizers.end()) return;
  throw Error(Code::kUsage, Cat("exact-match: there is no tokenizer ", Quote(tokenize_)), Join(kTokenizers, ", "));
}

void ExactMatch::Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) {
  const AnswerScore score = ScoreAnswer(hypothesis, references, units_);
  counts[0] = score.exact > 0 ? 1 : 0;
  counts[1] = ScoreUnits(score.f1);
  counts[2] = 1;
}

double ExactMatch::Score(std::span<const int64_t> sum, size_t which) const {
  if (which == 1) return MeanOfUnits(sum[1], sum[2]);
  return sum[2] == 0 ? 0 : static_cast<double>(sum[0]) / static_cast<double>(sum[2]);
}

std::string ExactMatch::Fields(bool) const { return Cat("case:lc|tok:", tokenize_); }

}  // namespace atelier::evaluate
