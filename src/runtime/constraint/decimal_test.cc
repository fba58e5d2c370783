#include "runtime/constraint/decimal.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/str.h"
#include "runtime/constraint/char_dfa.h"
#include "text/unicode.h"

namespace atelier::runtime {
namespace {

Decimal D(std::string_view text) { return DecimalOf(Json::parse(text)); }

TEST(DecimalTest, ReadsEveryWriting) {
  const auto show = [](std::string_view text) {
    const Decimal d = D(text);
    return Cat(d.negative ? "-" : "", d.whole, "|", d.fraction);
  };
  EXPECT_EQ(show("-0.0"), "0|");
  EXPECT_EQ(show("1.50"), "1|5");
  EXPECT_EQ(show("1e3"), "1000|");
  EXPECT_EQ(show("-2.5e-7"), "-0|00000025");
  EXPECT_EQ(show("1e30"), "1" + std::string(30, '0') + "|");
  EXPECT_EQ(show("18446744073709551615"), "18446744073709551615|");
  EXPECT_LT(Compare(D("-2"), D("-1.5")), 0);
  EXPECT_EQ(Compare(D("1.0"), D("1")), 0);
  EXPECT_GT(Compare(D("10"), D("9.99")), 0);
  EXPECT_TRUE(*IsMultiple(D("0.3"), D("0.1")));
  EXPECT_FALSE(*IsMultiple(D("7"), D("2")));
}

// Texts around the bounds, in many writings, against arithmetic on doubles.
TEST(DecimalTest, BoundsHold) {
  Rng rng(5);
  int inside = 0, outside = 0;
  for (int round = 0; round < 150; ++round) {
    const auto bound = [&] {
      const auto whole = static_cast<int64_t>(rng.Below(rng.Below(2) != 0 ? 30 : 2000)) - (rng.Below(2) != 0 ? 15 : 0);
      return rng.Below(2) != 0 ? Cat(whole) : Cat(whole, ".", rng.Below(100));
    };
    NumberBounds bounds;
    std::string low = bound(), high = bound();
    if (rng.Below(5) != 0) bounds.least = D(low);
    if (rng.Below(5) != 0) bounds.most = D(high);
    bounds.above_least = rng.Below(2) != 0;
    bounds.below_most = rng.Below(2) != 0;
    bounds.integer = rng.Below(2) != 0;
    if (rng.Below(3) == 0) bounds.multiples = {static_cast<int>(1 + rng.Below(12))};
    Regulars regulars;
    const CharDfa dfa = BuildDfa(&regulars, NumbersWithin(&regulars, bounds));
    for (int i = 0; i < 200; ++i) {
      std::string text = bound();
      if (rng.Below(4) == 0) text = low;
      if (rng.Below(4) == 0) text = high;
      if (text.find('.') != std::string::npos && rng.Below(3) == 0) text += "0";
      const double value = *ParseDouble(text);
      const bool is_integer = text.find('.') == std::string::npos;
      bool fits = text != "-0" && text != "-0.0";
      if (bounds.least) fits = fits && (bounds.above_least ? value > *ParseDouble(low) : value >= *ParseDouble(low));
      if (bounds.most) fits = fits && (bounds.below_most ? value < *ParseDouble(high) : value <= *ParseDouble(high));
      if (bounds.integer || !bounds.multiples.empty()) fits = fits && is_integer;
      for (int m : bounds.multiples) fits = fits && is_integer && *ParseInt(text) % m == 0;
      if (value == 0 && text[0] == '-') fits = false;
      (fits ? inside : outside)++;
      ASSERT_EQ(dfa.Matches(text::DecodeUtf8(text)), fits)
          << text << " in " << (bounds.above_least ? "(" : "[") << (bounds.least ? low : "") << ", "
          << (bounds.most ? high : "") << (bounds.below_most ? ")" : "]") << (bounds.integer ? " integer" : "");
    }
    for (const char* bad : {"", "-", "00", "01", "1.", ".5", "1e5", "+1", "--1", "1.0000000000000000001"}) {
      ASSERT_FALSE(dfa.Matches(text::DecodeUtf8(bad))) << bad;
    }
  }
  EXPECT_GT(inside, 2000);
  EXPECT_GT(outside, 2000);
}

}  // namespace
}  // namespace atelier::runtime
