#include "base/str.h"

#include <gtest/gtest.h>

namespace atelier {
namespace {

TEST(Str, CatTakesAnything) { EXPECT_EQ(Cat("a", 1, 'c', true, 2.5, std::string("z")), "a1ctrue2.5z"); }
TEST(Str, NearestFindsTheSlip) {
  EXPECT_EQ(Nearest("temprature", {"temperature", "top_p", "seed"}), "temperature");
  EXPECT_EQ(Nearest("zzz", {"temperature", "top_p"}), "");
}
TEST(Str, QuoteIsOneSafeLine) {
  EXPECT_EQ(Quote("a\nb\x01"), "'a\\nb\\x01'");
  EXPECT_EQ(Quote("最好的", 4), "'最…'");
}
TEST(Str, NumbersAreWholeOrNothing) {
  EXPECT_EQ(ParseInt("42"), 42);
  EXPECT_FALSE(ParseInt("42x"));
  EXPECT_FALSE(ParseInt(""));
  EXPECT_FALSE(ParseDouble("inf"));
  EXPECT_EQ(ParseDouble("-1e3"), -1000.0);
}

}  // namespace
}  // namespace atelier
