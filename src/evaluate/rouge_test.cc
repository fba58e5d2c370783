#include "evaluate/rouge_scores.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include "base/rng.h"
#include "evaluate/lcs.h"

namespace atelier::evaluate {
namespace {

using Sequence = std::vector<uint32_t>;

// The table, and the way back from its end that rouge-score takes.
Sequence PlainMarks(const Sequence& a, const Sequence& b, size_t* length) {
  std::vector<std::vector<size_t>> table(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      table[i][j] = a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1 : std::max(table[i - 1][j], table[i][j - 1]);
    }
  }
  *length = table[a.size()][b.size()];
  Sequence marks(a.size());
  for (size_t i = a.size(), j = b.size(); i > 0 && j > 0;) {
    if (a[i - 1] == b[j - 1]) {
      marks[--i] = 1;
      --j;
    } else if (table[i][j - 1] > table[i - 1][j]) {
      --j;
    } else {
      --i;
    }
  }
  return marks;
}

TEST(LongestCommonTest, EqualsTheTable) {
  LongestCommon common;
  Rng rng(1, "lcs");
  for (int round = 0; round < 600; ++round) {
    const size_t letters = 1 + rng.Below(round % 3 == 0 ? 2 : 60);
    Sequence a(rng.Below(round % 10 == 0 ? 400 : 70)), b(rng.Below(round % 10 == 1 ? 400 : 70));
    for (uint32_t& x : a) x = static_cast<uint32_t>(rng.Below(letters));
    for (uint32_t& x : b) x = static_cast<uint32_t>(rng.Below(letters + 5));
    size_t length = 0;
    const Sequence want = PlainMarks(a, b, &length);
    common.SetFirst(a);
    EXPECT_EQ(common.Length(b), length);
    std::vector<uint8_t> marks(a.size(), 7);
    common.Mark(b, marks);
    EXPECT_EQ(Sequence(marks.begin(), marks.end()), want) << "round " << round;
  }
}

// So long that the rows are kept in steps: still the same places.
TEST(LongestCommonTest, LongOnesInSteps) {
  LongestCommon common;
  Rng rng(2, "lcs");
  Sequence a(20000), b(15000);
  for (uint32_t& x : a) x = static_cast<uint32_t>(rng.Below(300));
  for (uint32_t& x : b) x = static_cast<uint32_t>(rng.Below(300));
  common.SetFirst(a);
  std::vector<uint8_t> marks(a.size());
  common.Mark(b, marks);
  const size_t marked = static_cast<size_t>(std::count(marks.begin(), marks.end(), 1));
  EXPECT_EQ(marked, common.Length(b));
  size_t at = 0;  // what is marked is a subsequence of b
  for (size_t i = 0; i < a.size(); ++i) {
    if (marks[i] == 0) continue;
    while (at < b.size() && b[at] != a[i]) ++at;
    ASSERT_LT(at++, b.size());
  }
}

TEST(RougeTest, ByHand) {
  RougeScorer rouge;
  const RougeScores scores = rouge.Score("The cat sat on the mat.", "the cat THE dog the");
  EXPECT_DOUBLE_EQ(scores.rouge1.precision, 3.0 / 5);
  EXPECT_DOUBLE_EQ(scores.rouge1.recall, 3.0 / 6);
  EXPECT_DOUBLE_EQ(scores.rouge2.f1, 2 * (1.0 / 4) * (1.0 / 5) / (1.0 / 4 + 1.0 / 5));
  EXPECT_DOUBLE_EQ(scores.rougeL.recall, 3.0 / 6);                          // the cat the
  EXPECT_DOUBLE_EQ(rouge.Score("\u212Ag \u0130s", "kg i s").rouge1.f1, 1);  // Python's lower case
  EXPECT_DOUBLE_EQ(rouge.Score("", "x").rouge1.f1, 0);
  EXPECT_DOUBLE_EQ(rouge.Score("", "").rougeLsum.f1, 0);
  EXPECT_DOUBLE_EQ(rouge.Score("只有中文", "只有中文").rouge1.f1, 0);  // rouge-score sees no word
}

TEST(RougeTest, SeveralReferencesTheBestOfEach) {
  RougeScorer rouge;
  const std::vector<std::string_view> references = {"a b c d", "b a"};
  const RougeScores scores = rouge.Score(references, "b a");
  EXPECT_DOUBLE_EQ(scores.rouge1.f1, 1);
  EXPECT_DOUBLE_EQ(scores.rouge2.f1, 1);
  EXPECT_DOUBLE_EQ(rouge.Score(std::vector<std::string_view>{"a b", "x y"}, "a b").rougeL.f1, 1);
}

TEST(RougeTest, SentencesUniteWithoutCountingTwice) {
  RougeScorer rouge;
  // Lin 2004: w1 w2 w3 w4 w5 against "w1 w2 w6 w7 w8" and "w1 w3 w8 w9 w5": the union is w1 w2 w3 w5.
  const RougeScores scores = rouge.Score("w1 w2 w3 w4 w5", "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5");
  EXPECT_DOUBLE_EQ(scores.rougeLsum.recall, 4.0 / 5);
  EXPECT_DOUBLE_EQ(scores.rougeLsum.precision, 4.0 / 10);
  EXPECT_DOUBLE_EQ(rouge.Score("a\na", "a\nb").rougeLsum.recall, 1.0 / 2);
}

TEST(RougeTest, ChineseUnits) {
  RougeScorer characters(RougeTokenizer(RougeUnits::kCharacters));
  EXPECT_DOUBLE_EQ(characters.Score("手冲壶２kg", "手壶2KG！").rouge1.recall, 3.0 / 4);  // 手 冲 壶 2kg
  RougeScorer segments(RougeTokenizer(RougeUnits::kSegments, false, text::MakeIcuSegmenter()));
  EXPECT_DOUBLE_EQ(segments.Score("北京 大学，Tea", "tea 大学").rouge1.recall, 2.0 / 3);
}

TEST(RougeTest, StemsMeetShortWords) {
  RougeScorer stemmed(RougeTokenizer(RougeUnits::kWords, true));
  EXPECT_DOUBLE_EQ(stemmed.Score("dies running", "die run").rouge1.f1, 1);
  EXPECT_DOUBLE_EQ(RougeScorer().Score("dies running", "die run").rouge1.f1, 0);
  EXPECT_DOUBLE_EQ(stemmed.Score("was", "wa").rouge1.f1, 0);  // three letters stay as they are
}

}  // namespace
}  // namespace atelier::evaluate
