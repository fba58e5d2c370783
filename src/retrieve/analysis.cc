#include "retrieve/analysis.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "text/porter.h"
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
  if (c < 0x80)
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? Kind::kWord : Kind::kOther;
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
      "a",     "an",    "the",    "is",    "are",   "was",   "were",  "be",    "been", "do",    "does", "did",
      "can",   "could", "should", "would", "will",  "may",   "might", "must",  "i",    "me",    "my",   "we",
      "our",   "you",   "your",   "it",    "its",   "he",    "she",   "they",  "them", "their", "this", "that",
      "these", "those", "there",  "what",  "which", "who",   "whom",  "whose", "when", "where", "why",  "how",
      "of",    "in",    "on",     "at",    "to",    "for",   "with",  "by",    "from", "as",    "and",  "or",
      "if",    "so",    "than",   "then",  "into",  "about", "have",  "has",   "had",  "am",    "any",  "some",
      "one",   "s",     "t",      "m",     "d",     "ll",    "ve",    "re"};
  return words;
}

// The same of Chinese, longest first: taken out of the question before it is cut, so that no pair of characters leans
// on one of them ("怎么安装" would ask for 么安).
constexpr std::array<std::string_view, 52> kChineseEmpty = {
    "是什么意思", "什么时候", "为什么", "怎么办", "怎么样", "是什么", "有没有", "能不能", "可不可以",
    "是不是",     "要不要",   "哪一个", "请问",   "怎么",   "怎样",   "如何",   "什么",   "为何",
    "哪个",       "哪些",     "哪里",   "哪儿",   "多少",   "是否",   "能否",   "可以",   "应该",
    "应当",       "需要",     "我想",   "想要",   "想把",   "一下",   "一个",   "这个",   "那个",
    "我的",       "你们",     "我们",   "吗",     "呢",     "吧",     "的",     "了",     "该",
    "我",         "你",       "请",     "么",     "着",     "还",     "能"};

std::string WithoutEmpty(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t skip = 0;
    if (static_cast<unsigned char>(text[at]) >= 0x80) {
      for (const std::string_view word : kChineseEmpty) {
        if (word.size() > skip && text.substr(at).starts_with(word)) skip = word.size();
      }
    }
    if (skip > 0) {
      out += ' ';
      at += skip;
    } else {
      out += text[at++];
    }
  }
  return out;
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
      terms->push_back(
          {Fold(text.substr(compound_begin, compound_end - compound_begin)), compound_begin, compound_end});
    }
    compound_words = 0;
  };
  while (at < text.size()) {
    text::DecodedChar c = text::DecodeChar(text.substr(at));
    const Kind kind = KindOf(c.c, c.valid);
    const size_t begin = at;
    if (kind == Kind::kOther) {
      // A joining mark holds the words on both sides together if it stands alone between them.
      const bool joins =
          c.valid && c.c < 0x80 && Joins(static_cast<char>(c.c)) && compound_words > 0 && compound_end == at;
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
      if (options_.stem) folded = text::PorterStem(folded);
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
        if (options_.pairs ? chars > 2 && chars <= 8 : chars <= 16)
          terms->push_back({Fold(word), from, from + word.size()});
        from += word.size();
      }
    }
  }
  end_compound();
}

std::vector<std::string> Analyzer::Query(std::string_view text) const {
  const auto ask = [&](std::string_view what, bool all) {
    std::vector<Term> terms;
    Analyze(what, &terms);
    std::vector<std::string> kept;
    std::unordered_set<std::string> seen;
    for (Term& term : terms) {
      if (!all && Empty().contains(Fold(Cut(what.substr(term.begin, term.end - term.begin))))) continue;
      if (seen.insert(term.text).second) kept.push_back(std::move(term.text));
    }
    return kept;
  };
  std::vector<std::string> kept = ask(WithoutEmpty(text), false);
  return kept.empty() ? ask(text, true) : kept;
}

}  // namespace atelier::retrieve
