#include "evaluate/chrf.h"

#include <algorithm>

#include "base/str.h"
#include "evaluate/score_tokens.h"
#include "text/unicode.h"

namespace atelier::evaluate {
namespace {

bool IsPunctuation(char c) {  // of ASCII, symbols included
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

// The last mark of a word is cut off, or else its first; never both, and none of a word that is one character.
void AddWord(std::string_view word, std::vector<std::string_view>* words) {
  if (word.empty()) return;
  const bool one = text::DecodeChar(word).length == word.size();
  if (!one && IsPunctuation(word.back())) {
    words->push_back(word.substr(0, word.size() - 1));
    words->push_back(word.substr(word.size() - 1));
  } else if (!one && IsPunctuation(word.front())) {
    words->push_back(word.substr(0, 1));
    words->push_back(word.substr(1));
  } else {
    words->push_back(word);
  }
}

}  // namespace

void ChrfOptions::Declare(MetricSettings& settings) {
  settings.Int("char-order", &char_order, "the longest character n-grams", 1, 32);
  settings.Int("word-order", &word_order, "the longest word n-grams; 2: chrF++", 0, 16);
  settings.Int("beta", &beta, "recall weighs its square times as much as precision", 0, 100);
  settings.Flag("lowercase", &lowercase, "upper and lower case count as equal");
  settings.Flag("whitespace", &whitespace, "white space is among the characters");
  settings.Flag("eps-smoothing", &eps_smoothing, "1e-16 for orders that a text is too short for, as chrF++.py has it");
}

Chrf::Chrf(const ChrfOptions& options)
    : options_(options),
      chars_(static_cast<size_t>(options.char_order)),
      words_(static_cast<size_t>(options.word_order)),
      matches_(std::max(chars_, words_)),
      candidate_(3 * (chars_ + words_)) {}

std::string Chrf::title() const { return Cat("chrF", options_.beta, std::string(words_, '+')); }

void Chrf::Prepare(std::string_view text, Prepared* out) const {
  if (options_.lowercase) {
    out->lower = text::ToLower(text);
    text = out->lower;
  }
  out->characters.clear();
  out->characters.reserve(text.size());
  out->words.clear();
  size_t begin = 0;  // of a word
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<uint8_t>(text[at]);
    char32_t c = byte;
    size_t length = 1;
    if (byte >= 0x80) {
      const text::DecodedChar decoded = text::DecodeChar(text.substr(at));
      c = decoded.c;
      length = decoded.length;
    }
    const bool space = IsPythonSpace(c);
    if (!space || options_.whitespace) out->characters.push_back(c);
    if (space) {
      if (words_ > 0) AddWord(text.substr(begin, at - begin), &out->words);
      begin = at + length;
    }
    at += length;
  }
  if (words_ > 0) AddWord(text.substr(begin), &out->words);
}

void Chrf::Hold(const Prepared& hypothesis, const Prepared& reference, int64_t* counts) {
  const auto hold = [&](const std::vector<uint32_t>& ours, const std::vector<uint32_t>& theirs, size_t order) {
    const GramMatcher::Text text(theirs);
    matcher_.Match(ours, {&text, 1}, order, matches_.data());
    for (size_t n = 0; n < order; ++n) {
      const size_t wanted = theirs.size() > n ? theirs.size() - n : 0;
      // A reference too short for the order says nothing of it.
      const size_t given = wanted > 0 && ours.size() > n ? ours.size() - n : 0;
      *counts++ = static_cast<int64_t>(given);
      *counts++ = static_cast<int64_t>(wanted);
      *counts++ = matches_[n];
    }
  };
  hold(hypothesis.characters, reference.characters, chars_);
  if (words_ > 0) hold(hypothesis.numbers, reference.numbers, words_);
}

void Chrf::Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) {
  references_.resize(std::max(references_.size(), references.size()));
  Prepare(hypothesis, &hypothesis_);
  size_t words = hypothesis_.words.size();
  for (size_t r = 0; r < references.size(); ++r) {
    Prepare(references[r], &references_[r]);
    words += references_[r].words.size();
  }
  if (words_ > 0) {
    symbols_.Reset(words);
    const auto number = [&](Prepared* text) {
      text->numbers.clear();
      for (const std::string_view word : text->words) text->numbers.push_back(symbols_.Add(word));
    };
    number(&hypothesis_);
    for (size_t r = 0; r < references.size(); ++r) number(&references_[r]);
  }
  Hold(hypothesis_, references_[0], counts);
  double best = references.size() > 1 ? Score({counts, width()}, 0) : 0;
  for (size_t r = 1; r < references.size(); ++r) {
    Hold(hypothesis_, references_[r], candidate_.data());
    const double score = Score(candidate_, 0);
    if (score <= best) continue;
    best = score;
    std::copy(candidate_.begin(), candidate_.end(), counts);
  }
}

double Chrf::Score(std::span<const int64_t> sum, size_t) const {
  constexpr double kEpsilon = 1e-16;
  const size_t orders = chars_ + words_;
  const auto factor = static_cast<double>(options_.beta * options_.beta);
  double total = 0, precisions = 0, recalls = 0;
  size_t counted = 0;
  for (size_t n = 0; n < orders; ++n) {
    const auto given = static_cast<double>(sum[3 * n]), wanted = static_cast<double>(sum[3 * n + 1]);
    const auto matches = static_cast<double>(sum[3 * n + 2]);
    const double precision = given > 0 ? matches / given : kEpsilon;
    const double recall = wanted > 0 ? matches / wanted : kEpsilon;
    const double below = factor * precision + recall;
    total += below > 0 ? (1 + factor) * precision * recall / below : kEpsilon;
    if (given > 0 && wanted > 0) {
      precisions += precision;
      recalls += recall;
      ++counted;
    }
  }
  if (options_.eps_smoothing) return 100 * total / static_cast<double>(orders);
  if (counted == 0) return 0;
  precisions /= static_cast<double>(counted);
  recalls /= static_cast<double>(counted);
  if (precisions + recalls == 0) return 0;
  return 100 * ((1 + factor) * precisions * recalls / (factor * precisions + recalls));
}

std::string Chrf::Fields(bool) const {
  return Cat("case:", options_.lowercase ? "lc" : "mixed", "|eff:", options_.eps_smoothing ? "no" : "yes",
             "|nc:", chars_, "|nw:", words_, "|space:", options_.whitespace ? "yes" : "no");
}

}  // namespace atelier::evaluate
