#include "evaluate/segmentation.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"

namespace atelier::evaluate {
namespace {

using Words = std::vector<std::string_view>;

// Counted by hand: gold 研究|生命|的|起源, found 研究生|命|的|起源: two of four right.
TEST(Segmentation, CountsWordsWithTheSameBeginAndEnd) {
  SegmentationMeasure measure;
  for (const std::string_view word : {"研究", "的", "生命"}) measure.Know(word);
  measure.Add(Words{"研究", "生命", "的", "起源"}, Words{"研究生", "命", "的", "起源"});
  measure.Add(Words{"我", "爱", "北京"}, Words{"我", "爱", "北", "京"});
  const SegmentationScore& score = measure.score();
  EXPECT_EQ(score.gold, 7);
  EXPECT_EQ(score.found, 8);
  EXPECT_EQ(score.right, 4);
  EXPECT_DOUBLE_EQ(score.precision(), 4.0 / 8);
  EXPECT_DOUBLE_EQ(score.recall(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(score.f1(), 2 * (4.0 / 8) * (4.0 / 7) / (4.0 / 8 + 4.0 / 7));
  EXPECT_DOUBLE_EQ(score.unknown_rate(), 4.0 / 7);    // 起源 我 爱 北京
  EXPECT_DOUBLE_EQ(score.unknown_recall(), 3.0 / 4);  // not 北京
  EXPECT_DOUBLE_EQ(score.known_recall(), 1.0 / 3);    // 的
}

TEST(Segmentation, BlankWordsCountOnNeitherSide) {
  SegmentationMeasure measure;
  measure.Add(Words{"好", "的"}, Words{" ", "好", "\u3000", "的", "\n"});
  EXPECT_EQ(measure.score().found, 2);
  EXPECT_EQ(measure.score().right, 2);
  EXPECT_EQ(SegmentationScore().f1(), 0);
}

TEST(Segmentation, WordsOfAnotherTextAreRefused) {
  SegmentationMeasure measure;
  EXPECT_THROW(measure.Add(Words{"好", "的"}, Words{"好"}), Error);
  EXPECT_THROW(measure.Add(Words{"好"}, Words{"好", "的"}), Error);
  EXPECT_THROW(measure.Add(Words{"好", "的"}, Words{"好", "地"}), Error);
}

}  // namespace
}  // namespace atelier::evaluate
