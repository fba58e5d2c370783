#include "text/pattern.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "text/pretokenizers.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

using Pieces = std::vector<std::string>;

Pieces Cut(std::string_view pattern, std::string_view text) {
  const PatternText characters(DecodeUtf8(text));
  std::vector<size_t> ends;
  Pattern::Compile(pattern).Split(characters, 0, characters.chars.size(), &ends);
  Pieces pieces;
  size_t begin = 0;
  for (size_t end : ends) {
    pieces.push_back(EncodeUtf8(std::u32string_view(characters.chars).substr(begin, end - begin)));
    begin = end;
  }
  return pieces;
}

TEST(Pattern, Notation) {
  EXPECT_EQ(Cut("ab", "xababy"), (Pieces{"x", "ab", "ab", "y"}));
  EXPECT_EQ(Cut("a?b", "aab"), (Pieces{"a", "ab"}));
  EXPECT_EQ(Cut("[a-c]{1,2}", "abcab"), (Pieces{"ab", "ca", "b"}));
  EXPECT_EQ(Cut("[0-9][0-9][0-9]", "12345"), (Pieces{"123", "45"}));
  EXPECT_EQ(Cut("x{2}", "xxxxx"), (Pieces{"xx", "xx", "x"}));
  EXPECT_EQ(Cut("[^a\\]]+", "aa]bc]"), (Pieces{"aa]", "bc", "]"}));
  EXPECT_EQ(Cut("\\p{L}+|\\p{N}", "ab12é的"), (Pieces{"ab", "1", "2", "é的"}));
  EXPECT_EQ(Cut("\\s+$", "  a  "), (Pieces{"  a", "  "}));
  EXPECT_EQ(Cut("\\s+(?!\\S)|\\s+", "a   b "), (Pieces{"a", "  ", " ", "b", " "}));
  EXPECT_EQ(Cut("'(?:s|re)|a(?:bc|b)?", "'s'reabcabab'x"), (Pieces{"'s", "'re", "abc", "ab", "ab", "'x"}));
  EXPECT_EQ(Cut("[\\p{L}&&[^a-z]]+", "ABcdÉ"), (Pieces{"AB", "cd", "É"}));
  EXPECT_EQ(Cut("[\\x{4E00}-\\x{9FFF}]+", "a中文b"), (Pieces{"a", "中文", "b"}));
  EXPECT_EQ(Cut("[a-]+", "a-b"), (Pieces{"a-", "b"}));
  EXPECT_EQ(Cut("a", ""), Pieces{});
}

TEST(Pattern, LoopsGiveBack) {
  EXPECT_EQ(Cut("[A-Zé]*[a-zé]+|[A-Zé]+", "ABcdEFéGH"), (Pieces{"ABcd", "EFé", "GH"}));
  EXPECT_EQ(Cut("\\s*[\\r\\n]+|\\s+", " \n \n  x"), (Pieces{" \n \n", "  ", "x"}));
}

TEST(Pattern, LooksOnlyAtItsOwnStretch) {
  const PatternText text(U"a  b");
  std::vector<size_t> ends;
  Pattern::Compile("\\s+(?!\\S)|\\s+").Split(text, 0, 3, &ends);
  EXPECT_EQ(ends, (std::vector<size_t>{1, 3}));
}

TEST(Pattern, RefusesWhatItDoesNotKnow) {
  for (const char* source :
       {"", "a|", "(ab)", "a.b", "\\w+", "\\p{Greek}", "[ab", "(?:a", "(?=a)", "^a", "a)", "x{a}", "\\x{ZZ}", "\\"}) {
    EXPECT_THROW(Pattern::Compile(source), Error) << source;
  }
}

TEST(PreTokenizers, EveryRuleCompilesAndEveryNameIsUnique) {
  std::vector<std::string> names = PreTokenizerNames();
  EXPECT_GE(names.size(), 50u);
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  for (const PreTokenizer& rule : PreTokenizers()) {
    const Splitter splitter(rule);
    EXPECT_TRUE(splitter.Split(PatternText(U"")).empty());
    const std::vector<size_t> ends = splitter.Split(PatternText(U"Hi 你好\u3000123!\r\n "));
    ASSERT_FALSE(ends.empty());
    EXPECT_EQ(ends.back(), 13u) << rule.names[0];
    EXPECT_TRUE(std::is_sorted(ends.begin(), ends.end()));
  }
  EXPECT_EQ(FindPreTokenizer(""), FindPreTokenizer("default"));
  EXPECT_EQ(FindPreTokenizer("nobody"), nullptr);
}

}  // namespace
}  // namespace atelier::text
