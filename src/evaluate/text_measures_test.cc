#include <gtest/gtest.h>

#include "evaluate/overlap.h"
#include "evaluate/repetition.h"
#include "evaluate/units.h"

namespace atelier::evaluate {
namespace {

using List = std::vector<std::string>;

TEST(Units, HanAloneAndWordsWhole) {
  EXPECT_EQ(Units("好茶, Don't stop: 500ml!"), (List{"好", "茶", "dont", "stop", "500ml"}));
  EXPECT_EQ(Units("ÉCLAIR 🍰 \xFF x"), (List{"éclair", "x"}));
  EXPECT_EQ(Units(""), List{});
}

TEST(Repetition, RateAndStutter) {
  EXPECT_DOUBLE_EQ(RepetitionRate("one two three four", 2), 0);
  EXPECT_DOUBLE_EQ(RepetitionRate("a b a b a", 2), 0.5);
  EXPECT_DOUBLE_EQ(RepetitionRate("x", 2), 0);
  EXPECT_EQ(LongestStutter("好好好"), 3u);
  EXPECT_EQ(LongestStutter("very very soft"), 2u);
  EXPECT_EQ(LongestStutter("soft and warm, soft and warm, soft and warm"), 3u);
  EXPECT_EQ(LongestStutter("plain words only"), 1u);
  EXPECT_EQ(LongestStutter(" ,"), 0u);
}

TEST(Overlap, CharacterJaccard) {
  EXPECT_DOUBLE_EQ(CharacterJaccard("Warm socks!", "warm socks"), 1);
  EXPECT_DOUBLE_EQ(CharacterJaccard("abcd", "abce"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(CharacterJaccard("一口好茶汤", "两双羊毛袜"), 0);
  EXPECT_DOUBLE_EQ(CharacterJaccard("茶", "茶"), 1);
}

}  // namespace
}  // namespace atelier::evaluate
