#include "report/word_diff.h"

#include <gtest/gtest.h>

#include "base/rng.h"
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

// The longest common subsequence of two texts of one-letter words, by the plain table.
size_t Common(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> best(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < b.size(); ++j) {
      best[i + 1][j + 1] = a[i] == b[j] ? best[i][j] + 1 : std::max(best[i][j + 1], best[i + 1][j]);
    }
  }
  return best[a.size()][b.size()];
}

TEST(WordDiff, IsTheShortestAndBothTextsAreInIt) {
  Rng rng(7, "diff");
  constexpr std::string_view kMarks = "(),;:/";  // a word each, and no spaces
  for (int round = 0; round < 2000; ++round) {
    std::string text[2];
    for (std::string& one : text) {
      for (uint64_t length = rng.Below(14); length > 0; --length) one.push_back(kMarks[rng.Below(1 + round % 6)]);
    }
    std::string before, after;
    size_t same = 0;
    for (const DiffRun& run : WordDiff(text[0], text[1])) {
      EXPECT_FALSE(run.text.empty());
      if (run.kind != DiffKind::kCame) before += run.text;
      if (run.kind != DiffKind::kGone) after += run.text;
      if (run.kind == DiffKind::kSame) same += run.text.size();
    }
    ASSERT_EQ(before, text[0]);
    ASSERT_EQ(after, text[1]);
    ASSERT_EQ(same, Common(text[0], text[1])) << text[0] << " " << text[1];
  }
}

TEST(WordDiff, CutsWordsOfBothLanguages) {
  EXPECT_EQ(MarkedTogether("我们去公园。", "我们今天去花园。"), "我们<ins>今天</ins>去<del>公</del><ins>花</ins>园。");
  EXPECT_EQ(MarkedTogether("don't go", "do go"), "<del>don&#39;t</del><ins>do</ins> go");
  EXPECT_EQ(MarkedTogether("café 3.14", "cafe 3.15"), "<del>café 3.14</del><ins>cafe 3.15</ins>");
  // A space between two changes goes with them, one beside what is the same does not.
  EXPECT_EQ(MarkedTogether("a red big dog", "a blue old dog"), "a <del>red big</del><ins>blue old</ins> dog");
  EXPECT_EQ(MarkedTogether("👩‍👩‍👧 x", "👩‍👩‍👦 x"),
            "<del>👩<i>U+200D</i>👩<i>U+200D</i>👧</del><ins>👩<i>U+200D</i>👩<i>U+200D</i>👦</ins> x");
  EXPECT_EQ(DiffWords(WordDiff("我们去公园", "我们今天去花园")), 4u);
}

TEST(WordDiff, IsBounded) {
  std::string a, b;
  for (int i = 0; i < 200'000; ++i) {
    a += Cat("a", i, " ");
    b += Cat("b", i, " ");
  }
  const std::vector<DiffRun> runs = WordDiff(Cat("same ", a, "end"), Cat("same ", b, "end"));
  ASSERT_EQ(runs.size(), 4u);
  EXPECT_EQ(runs[0].text, "same ");
  EXPECT_EQ(runs[3].text, " end");
  // Marks never cut a character, and say where a text goes on.
  const std::string marked = MarkedTogether(std::string(1999, 'a') + "好", std::string(1999, 'a') + "坏");
  EXPECT_EQ(marked, std::string(1999, 'a') + "…");
}

}  // namespace
}  // namespace atelier::report
