#include "evaluate/score_tokens.h"

#include <gtest/gtest.h>

#include "base/str.h"

namespace atelier::evaluate {
namespace {

// Tokens with a bar between them.
std::string Split(Scheme scheme, std::string_view line, bool lowercase = false) {
  TokenLine out;
  ScoreTokenizer(scheme, lowercase).Split(line, &out);
  return Join(std::vector<std::string>(out.tokens.begin(), out.tokens.end()), "|");
}

TEST(ScoreTokens, ThirteenA) {
  EXPECT_EQ(Split(Scheme::k13a, "It costs $1,000.50, (really)."), "It|costs|$|1,000.50|,|(|really|)|.");
  EXPECT_EQ(Split(Scheme::k13a, "5..5 5...5 a..5 a.5 .5 5."), "5|.|.|5|5|.|.|.5|a|.|.5|a|.|5|.|5|5|.");
  EXPECT_EQ(Split(Scheme::k13a, "7-8 a-b 9-- -3"), "7|-|8|a-b|9|-|-|-3");
  EXPECT_EQ(Split(Scheme::k13a, "&amp;lt; &quot;x&quot; <skipped>y"), "<|\"|x|\"|y");
  EXPECT_EQ(Split(Scheme::k13a,
                  "a\u3000b\u00a0c\x1c"
                  "d\u0085"),
            "a|b|c|d");
  EXPECT_EQ(Split(Scheme::k13a, "well-\nknown\nthing"), "wellknown|thing");
  EXPECT_EQ(Split(Scheme::k13a, "手冲咖啡壶。"), "手冲咖啡壶。");
}

TEST(ScoreTokens, IntlHoldsPunctuationBetweenNumbersOfAnyScript) {
  EXPECT_EQ(Split(Scheme::kIntl, "你好，世界。4,५ ५。"), "你好|，|世界|。|4,५|५。");
  EXPECT_EQ(Split(Scheme::kIntl, "2€+x “a”"), "2|€|+|x|“|a|”");
  EXPECT_EQ(Split(Scheme::kIntl, ".5"), ".5");
}

TEST(ScoreTokens, ZhWithItsGaps) {
  EXPECT_EQ(Split(Scheme::kZh, "我用iPhone15，很好。"), "我|用|iPhone15|，|很|好|。");
  EXPECT_EQ(Split(Scheme::kZh, "a“b”—c→d"), "a|“|b|”|—|c|→|d");                     // U+2001 to U+2A6D
  EXPECT_EQ(Split(Scheme::kZh, "\U00020000\U0002A6D6x"), "\U00020000\U0002A6D6x");  // extension B does not stand alone
  EXPECT_EQ(Split(Scheme::kZh, "\u9fbb\u9fbc\u9fff"), "\u9fbb|\u9fbc\u9fff");
  EXPECT_EQ(Split(Scheme::kZh, "价格3.5元 5."), "价|格|3.5|元|5.");  // no space is put behind the line
  EXPECT_EQ(Split(Scheme::kZh, "  .5"), ".5");
}

TEST(ScoreTokens, CharAndNone) {
  EXPECT_EQ(Split(Scheme::kChar, "a é\u0301 👍🏽"), "a|é|\u0301|👍|🏽");
  EXPECT_EQ(Split(Scheme::kNone, " a,b\t c。"), "a,b|c。");
}

TEST(ScoreTokens, Tercom) {
  EXPECT_EQ(Split(Scheme::kTercom, "the dog's. cat's! it's 5"), "the|dog's|.|cat|'s|!|it|'s|5");
  EXPECT_EQ(Split(Scheme::kTercomAsian, "手冲壶、カタカナ！x"), "手|冲|壶|、|カタカナ|！|x");
}

TEST(ScoreTokens, LowerCaseIsUnicodes) { EXPECT_EQ(Split(Scheme::kNone, "ΣΑΣ İ ẞ ", true), "σας|i\u0307|ß"); }

TEST(ScoreTokens, EndsAreStrippedAsPythonDoes) {
  EXPECT_EQ(StripEnd("a \t\u3000\x1f\u2028"), "a");
  EXPECT_EQ(StripEnd("a\u200b"), "a\u200b");
  EXPECT_EQ(StripEnd("\u3000"), "");
  EXPECT_EQ(StripBegin("\u0085 a "), "a ");
  EXPECT_EQ(StripEnd("a\x80\x80\x80\x80\x80"), "a\x80\x80\x80\x80\x80");
}

}  // namespace
}  // namespace atelier::evaluate
