// The automata against the patterns that they stand for, on texts made of everything that the rules tell apart.
#include "text/fast_splitter.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/str.h"
#include "text/pattern.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

std::vector<size_t> ByPattern(const Splitter& splitter, std::string_view text) {
  const PatternText characters(DecodeUtf8(text));
  std::vector<size_t> ends;
  size_t bytes = 0, c = 0;
  for (const size_t end : splitter.Split(characters)) {
    for (; c < end; ++c) {
      std::string one;
      AppendUtf8(&one, characters.chars[c]);
      bytes += one.size();
    }
    ends.push_back(bytes);
  }
  return ends;
}

std::vector<size_t> ByAutomaton(const FastSplitter& splitter, std::string_view text) {
  std::vector<size_t> ends;
  for (size_t at = 0; at < text.size();) {
    at = splitter.WordEnd(text, at);
    ends.push_back(at);
  }
  return ends;
}

TEST(FastSplitter, CutsAsThePatternsDo) {
  static constexpr std::string_view kPieces[] = {" ",
                                                 "  ",
                                                 "\t",
                                                 "\n",
                                                 "\r\n",
                                                 "\u3000",
                                                 "\u00A0",
                                                 "a",
                                                 "B",
                                                 "s",
                                                 "t",
                                                 "re",
                                                 "LL",
                                                 "d",
                                                 "'",
                                                 "'s",
                                                 "'LL",
                                                 "'v",
                                                 "!",
                                                 "，",
                                                 "。",
                                                 "—",
                                                 "中",
                                                 "文字",
                                                 "é",
                                                 "e\u0301",
                                                 "0",
                                                 "42",
                                                 "Ⅷ",
                                                 "½",
                                                 "٣",
                                                 "👍",
                                                 "👨‍👩‍👧",
                                                 "𝟙",
                                                 "𠀀",
                                                 "/",
                                                 "\u200B",
                                                 std::string_view("\0", 1),
                                                 "\x7F",
                                                 "ſ",
                                                 "İ",
                                                 "ก",
                                                 "あ",
                                                 "가"};
  Rng rng(5);
  std::vector<std::string> texts = {"",    " ",   "\n",     "  \n  x", "x  1",          "'",
                                    "' s", " 's", "1 's 2", "a  'll",  "\u3000\u3000中"};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (uint64_t n = rng.Below(12); n-- > 0;) text += kPieces[rng.Below(std::size(kPieces))];
    texts.push_back(std::move(text));
  }
  int rules = 0;
  for (const PreTokenizer& rule : PreTokenizers()) {
    const auto fast = FastSplitter::For(rule);
    if (!fast) continue;
    ++rules;
    const Splitter splitter(rule);
    for (const std::string& text : texts) {
      ASSERT_EQ(ByAutomaton(*fast, text), ByPattern(splitter, text)) << rule.names[0] << ": " << Quote(text, 200);
    }
  }
  EXPECT_GE(rules, 5);  // gpt-2, smollm, llama-bpe, dbrx, qwen2
}

}  // namespace
}  // namespace atelier::text
