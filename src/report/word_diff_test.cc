#include "report/word_diff.h"

#include <gtest/gtest.h>

#include "base/str.h"

namespace atelier::report {
namespace {

std::string Before(std::string_view a, std::string_view b) { return MarkDifference(a, b).before; }
std::string After(std::string_view a, std::string_view b) { return MarkDifference(a, b).after; }

TEST(Difference, MarksWhatCameAndWent) {
  EXPECT_EQ(Before("same", "same"), "same");
  EXPECT_EQ(Before("a red cup", "a blue cup"), "a <del>red</del> cup");
  EXPECT_EQ(After("a red cup", "a blue cup"), "a <ins>blue</ins> cup");
  EXPECT_EQ(Before("臺灣茶", "台湾茶"), "<del>臺灣</del>茶");
  EXPECT_EQ(After("臺灣茶", "台湾茶"), "<ins>台湾</ins>茶");
  EXPECT_EQ(Before("", "new"), "");
  EXPECT_EQ(After("", "new"), "<ins>new</ins>");
  // The ends are shared, whatever stands between.
  EXPECT_EQ(After("x [1] y", "x [phone] y"), "x [<ins>phone</ins>] y");
}

TEST(Difference, ShowsWhatNobodySees) {
  EXPECT_EQ(Before("a\u200bb", "ab"), "<del>a<i>U+200B</i>b</del>");
  EXPECT_EQ(Before("好\u3000的", "好 的"), "好<del><i>U+3000</i></del>的");
  EXPECT_EQ(After("a b", "a\nb"), "a<ins><i>↵</i></ins>b");
  EXPECT_EQ(Before("x\u202ey", "x"), "x<del><i>U+202E</i>y</del>");
}

TEST(Difference, EscapesAndIsBounded) {
  EXPECT_EQ(Before("<b>&\"'", ""), "<del>&lt;b&gt;&amp;&quot;&#39;</del>");
  EXPECT_EQ(After("\xff", "\xfe<"), "\uFFFD<ins>&lt;</ins>");  // neither is UTF-8
  const std::string many(100'000, '.');
  EXPECT_TRUE(After("", many).starts_with("<ins>..."));
  EXPECT_LT(After("", many).size(), 3000u);
}

}  // namespace
}  // namespace atelier::report
