#include "retrieve/analysis.h"

#include <algorithm>
#include <unordered_set>

#include "text/unicode.h"

namespace atelier::retrieve {
namespace {

constexpr size_t kMostWord = 64;  // bytes of a term; longer ones (keys, base64) are cut

enum class Kind { kOther, kWord, kDense };

// Scripts that are written without spaces.
bool IsDense(char32_t c) {
  return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
         (c >= 0xAC00 && c <= 0xD7AF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF) ||
         (c >= 0x0E00 && c <= 0x0EFF) || c == 0x3005 || c == 0x3007;
}

Kind KindOf(char32_t c, bool valid) {
  if (!valid) return Kind::kOther;
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? Kind::kWord : Kind::kOther;
  if (IsDense(c)) return Kind::kDense;
  return (text::Properties(c) & (text::kLetter | text::kNumber | text::kMark)) != 0 ? Kind::kWord : Kind::kOther;
}

bool Joins(char c) { return c == '-' || c == '.' || c == '_' || c == '/' || c == '+' || c == '@' || c == '\''; }

std::string Fold(std::string_view word) {
  bool plain = true;
  for (const char c : word) plain = plain && static_cast<unsigned char>(c) < 0x80;
  if (!plain) return text::FoldForComparison(word);
  std::string out(word);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view Cut(std::string_view word) {
  if (word.size() <= kMostWord) return word;
  size_t end = kMostWord;
  while (end > 0 && (static_cast<unsigned char>(word[end]) & 0xC0) == 0x80) --end;
  return word.substr(0, end);
}

// Words that make a sentence a question and say nothing of what it is about. A list of our own, short on purpose.
const std::unordered_set<std::string_view>& Empty() {
  static const std::unordered_set<std::string_view> words = {
      "a",    "an",   "the",  "is",   "are",  "was",   "were", "be",    "been",  "do",    "does", "did",  "can",
      "could", "should", "would", "will", "may", "might", "must", "i",  "me",    "my",    "we",   "our",  "you",
      "your", "it",   "its",  "he",   "she",  "they",  "them", "their", "this",  "that",  "these", "those", "there",
      "what", "which", "who", "whom", "whose", "when", "where", "why",  "how",   "of",    "in",   "on",   "at",
      "to",   "for",  "with", "by",   "from", "as",    "and",  "or",    "if",    "so",    "than", "then", "into",
      "about", "have", "has", "had",  "am",   "any",   "some", "one",   "s",     "t",     "m",    "d",    "ll",   "ve",  "re",
      "怎么", "么样", "怎样", "什么", "么是", "如何", "为什", "为何", "哪个", "哪些", "哪里", "是否", "可以", "能否",
      "请问", "我的", "我想", "想要", "一个", "这个", "那个", "应该", "应当", "该怎", "么办", "有哪", "是什", "吗",
      "呢",   "的",   "了",   "在",   "是",   "我",   "该",   "为什么", "怎么办", "怎么样"};
  return words;
}

}  // namespace

Analyzer::Analyzer(AnalysisOptions options, WordsFn words) : options_(options), words_(std::move(words)) {}

void Analyzer::Analyze(std::string_view text, std::vector<Term>* terms) const {
  std::vector<std::string_view> cut;
  std::vector<size_t> starts;
  size_t at = 0;
  size_t compound_begin = 0, compound_end = 0;  // bytes of the words that stand joined so far
  int compound_words = 0;
  const auto end_compound = [&] {
    if (options_.compounds && compound_words > 1 && compound_end - compound_begin <= kMostWord) {
      terms->push_back({Fold(text.substr(compound_begin, compound_end - compound_begin)), compound_begin, compound_end});
    }
    compound_words = 0;
  };
  while (at < text.size()) {
    text::DecodedChar c = text::DecodeChar(text.substr(at));
    const Kind kind = KindOf(c.c, c.valid);
    const size_t begin = at;
    if (kind == Kind::kOther) {
      // A joining mark holds the words on both sides together if it stands alone between them.
      const bool joins = c.valid && c.c < 0x80 && Joins(static_cast<char>(c.c)) && compound_words > 0 && compound_end == at;
      at += c.length;
      if (joins && at < text.size()) {
        const text::DecodedChar d = text::DecodeChar(text.substr(at));
        if (KindOf(d.c, d.valid) == Kind::kWord) continue;
      }
      end_compound();
      continue;
    }
    starts.clear();
    while (at < text.size()) {
      c = text::DecodeChar(text.substr(at));
      if (KindOf(c.c, c.valid) != kind) break;
      starts.push_back(at);
      at += c.length;
    }
    if (kind == Kind::kWord) {
      const std::string_view word = Cut(text.substr(begin, at - begin));
      std::string folded = Fold(word);
      if (options_.stem) folded = PorterStem(folded);
      if (!folded.empty()) terms->push_back({std::move(folded), begin, at});
      if (compound_words > 0 && compound_end + 1 == begin) {
        ++compound_words;
      } else {
        compound_begin = begin;
        compound_words = 1;
      }
      compound_end = at;
      continue;
    }
    end_compound();
    starts.push_back(at);
    if (options_.pairs || !options_.words || !words_) {
      if (starts.size() == 2) terms->push_back({Fold(text.substr(begin, at - begin)), begin, at});
      for (size_t i = 0; i + 2 < starts.size(); ++i) {
        terms->push_back({Fold(text.substr(starts[i], starts[i + 2] - starts[i])), starts[i], starts[i + 2]});
      }
    }
    if (options_.words && words_) {
      cut.clear();
      words_(text.substr(begin, at - begin), &cut);
      size_t from = begin;
      for (const std::string_view word : cut) {
        const size_t chars = text::CountChars(word);
        // Of two characters it is a pair already.
        if (options_.pairs ? chars > 2 && chars <= 8 : chars <= 16) terms->push_back({Fold(word), from, from + word.size()});
        from += word.size();
      }
    }
  }
  end_compound();
}

std::vector<std::string> Analyzer::Query(std::string_view text) const {
  std::vector<Term> terms;
  Analyze(text, &terms);
  std::vector<std::string> kept, all;
  std::unordered_set<std::string> seen;
  for (Term& term : terms) {
    if (!seen.insert(term.text).second) continue;
    const std::string folded = Fold(Cut(text.substr(term.begin, term.end - term.begin)));
    if (!Empty().contains(folded)) kept.push_back(term.text);
    all.push_back(std::move(term.text));
  }
  return kept.empty() ? all : kept;
}

}  // namespace atelier::retrieve
