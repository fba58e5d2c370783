// Labels, numbers and ratings: what is refused, and published worked examples.
#include <cmath>

#include <gtest/gtest.h>
#include "base/error.h"
#include "evaluate/classification.h"
#include "evaluate/curves.h"
#include "evaluate/kappa.h"
#include "evaluate/krippendorff.h"
#include "evaluate/rank_correlation.h"
#include "evaluate/ranking.h"
#include "evaluate/ratings.h"
#include "evaluate/sums.h"
#include "evaluate/value_lines.h"

namespace atelier::evaluate {
namespace {

template <typename Fn>
std::string MessageOf(Fn fn) {
  try {
    fn();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ValueLinesTest, LinesAsPeopleWriteThem) {
  using Views = std::vector<std::string_view>;
  EXPECT_EQ(LabelLines("\xEF\xBB\xBF 好 评 \r\nx", "f"), (Views{" 好 评 ", "x"}));
  EXPECT_EQ(NumberLines(" 1 \r\n-2.5e3\n+0\n", "f"), (std::vector<double>{1, -2500, 0}));
  EXPECT_EQ(NumberRows("1, 2\t3\r\n.5\n", "f"), (std::vector<std::vector<double>>{{1, 2, 3}, {0.5}}));
}

TEST(ValueLinesTest, RefusesWithTheLine) {
  EXPECT_EQ(MessageOf([] { NumberLines("1\nNaN\n", "s.txt"); }), "s.txt:2: 'NaN' is no finite number");
  EXPECT_EQ(MessageOf([] { NumberRows("1 -inf\n", "s.txt"); }), "s.txt:1: '-inf' is no finite number");
  EXPECT_EQ(MessageOf([] { NumberLines("1\n\n", "s.txt"); }), "s.txt:2: '' is no number");
  EXPECT_EQ(MessageOf([] { NumberRows("1\n , \n", "s.txt"); }), "s.txt:2: holds no number");
  EXPECT_EQ(MessageOf([] { NumberLines("0x1\n", "s.txt"); }), "s.txt:1: '0x1' is no number");
  EXPECT_EQ(MessageOf([] { LabelLines("a\n \nb\n", "t.txt"); }), "t.txt:2: holds no label");
  EXPECT_EQ(MessageOf([] { LabelLines("a\nb\xFF\n", "t.txt"); }), "t.txt:2: byte 2 of the line is not UTF-8");
  EXPECT_EQ(MessageOf([] { NumberRows("", "t.txt"); }), "t.txt: is empty");
}

TEST(ClassificationTest, ClassesAndOutsiders) {
  using Views = std::vector<std::string_view>;
  const Views numbers{"10", "9"}, mixed{"10", "9", "x"};
  EXPECT_EQ(FindClasses(numbers, numbers), (std::vector<std::string>{"9", "10"}));
  EXPECT_EQ(FindClasses(mixed, numbers), (std::vector<std::string>{"10", "9", "x"}));
  const std::vector<std::string> classes{"spam", "ham"};
  const Views labels{"spam", "spma"};
  try {
    ClassIndices(labels, classes, "pred.txt");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "pred.txt:2: 'spma' is none of the 2 classes");
    EXPECT_EQ(error.hint(), "they are 'spam, ham'");
  }
}

TEST(ClassificationTest, SaysWhatIsUndefined) {
  const std::vector<uint32_t> truth{0, 0, 1}, predicted{0, 0, 0};
  const ClassificationScores scores = ScoreClasses(CountConfusion({"a", "b", "c"}, truth, predicted));
  EXPECT_EQ(scores.no_predicted, (std::vector<size_t>{1, 2}));
  EXPECT_EQ(scores.no_true, std::vector<size_t>{2});
  EXPECT_EQ(scores.neither, std::vector<size_t>{2});
}

TEST(SumsTest, NumpysOrder) {
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(1.0 / (i + 1));
  EXPECT_EQ(Sum(values), 7.485470860550345);  // numpy 2.4.6: (1 / np.arange(1., 1001)).sum()
  EXPECT_EQ(Sum({}), 0);
  EXPECT_EQ(Mean({}), 0);
}

TEST(CurvesTest, AllPointsAndOneClass) {
  const std::vector<uint8_t> truth{1, 1, 0, 0};
  const std::vector<double> scores{4, 3, 2, 1};
  EXPECT_EQ(RocCurve(truth, scores).x.size(), 4u);        // infinity, 4, 3, 1
  EXPECT_EQ(RocCurve(truth, scores, true).x.size(), 5u);  // and 2
  // Two negatives at one threshold: the slope changes in one direction only, and the point stays.
  EXPECT_EQ(RocCurve(std::vector<uint8_t>{1, 0, 0, 0, 1}, std::vector<double>{5, 4, 3, 3, 1}).x.size(), 5u);
  EXPECT_EQ(AveragePrecision(std::vector<uint8_t>{0, 0}, std::vector<double>{1, 2}), 0);
  EXPECT_EQ(RocAuc(truth, std::vector<double>{1, 1, 1, 1}), 0.5);
}

TEST(RankingTest, PlacesByHand) {
  const Ranked ranked{{0, 1, 0, 0, 1, 0}, 3};
  EXPECT_DOUBLE_EQ(PrecisionAt(ranked, 2), 0.5);
  EXPECT_DOUBLE_EQ(PrecisionAt(ranked, 10), 0.2);
  EXPECT_DOUBLE_EQ(AveragePrecision(ranked), (1.0 / 2 + 2.0 / 5) / 3);
  EXPECT_EQ(AveragePrecision(Ranked{{}, 0}), 0);
  // A constant score earns nothing from its order.
  EXPECT_EQ(RankByScore(std::vector<double>{2, 0, 0}, std::vector<double>{1, 1, 1}).relevant,
            (std::vector<int>{0, 0, 1}));
  EXPECT_TRUE(std::isnan(KendallTauB(std::vector<double>{1, 1}, std::vector<double>{1, 2})));
  EXPECT_TRUE(std::isnan(SpearmanCorrelation(std::vector<double>{1}, std::vector<double>{1})));
}

Ratings Read(const std::string& text, const RatingsOptions& options = {}) {
  return ReadRatings(text, "r.csv", options);
}

TEST(RatingsTest, NumbersOrderAndNames) {
  const Ratings numbers = Read("item,a,b\nx,10,9\ny,9.0,\n", {"item", {}});
  EXPECT_EQ(numbers.raters, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(numbers.categories, (std::vector<std::string>{"9", "10"}));  // 9.0 is 9
  EXPECT_EQ(numbers.values, (std::vector<int32_t>{1, 0, 0, -1}));
  const Ratings words = Read("a,b\nlow,high\n", {"", {"low", "mid", "high"}});
  EXPECT_TRUE(words.ordered);
  EXPECT_EQ(words.values, (std::vector<int32_t>{0, 2}));
  EXPECT_FALSE(Read("a,b\nyes,no\n").ordered);
}

TEST(RatingsTest, Refuses) {
  EXPECT_EQ(MessageOf([] { Read("a,b\n1,2\n1,NaN\n"); }), "r.csv:3: 'b' rated 'NaN', which is no finite number");
  EXPECT_EQ(MessageOf([] {
              Read("a,b\nlow,hgih\n", {"", {"low", "high"}});
            }),
            "r.csv:2: 'b' rated 'hgih', which is not in the order");
  EXPECT_EQ(MessageOf([] { Read("a\n1\n"); }), "r.csv: holds 1 rater, agreement needs two");
  EXPECT_EQ(MessageOf([] { Read("a,b\n"); }), "r.csv: holds no rating");
  EXPECT_EQ(MessageOf([] { Read("a,b\n1,2\n", {"item", {}}); }), "r.csv: has no column 'item'");
}

// Fleiss 1971 as worked in Wikipedia's article: ten items, fourteen raters, five categories; 0.210.
TEST(AgreementTest, FleissWorked) {
  const int table[10][5] = {{0, 0, 0, 0, 14}, {0, 2, 6, 4, 2}, {0, 0, 3, 5, 6}, {0, 3, 9, 2, 0}, {2, 2, 8, 1, 1},
                            {7, 7, 0, 0, 0},  {3, 2, 6, 3, 0}, {2, 5, 3, 2, 2}, {6, 5, 2, 1, 0}, {0, 2, 2, 3, 7}};
  Ratings ratings;
  ratings.raters.resize(14);
  ratings.categories.resize(5);
  for (const auto& row : table) {
    for (int category = 0; category < 5; ++category)
      ratings.values.insert(ratings.values.end(), row[category], category);
  }
  EXPECT_NEAR(FleissKappa(ratings), 0.20993070442195522, 1e-12);
  ratings.values.back() = -1;
  EXPECT_TRUE(std::isnan(FleissKappa(ratings)));
}

// Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section D: 4 observers, 12 units, missing data.
TEST(AgreementTest, KrippendorffWorked) {
  const Ratings ratings = Read(
      "A,B,C,D\n1,1,,1\n2,2,3,2\n3,3,3,3\n3,3,3,3\n2,2,2,2\n1,2,3,4\n4,4,4,4\n1,1,2,1\n2,2,2,2\n,5,5,5\n,,1,1\n,3,,\n");
  EXPECT_NEAR(KrippendorffAlpha(ratings, RatingLevel::kNominal), 0.743, 5e-4);
  EXPECT_NEAR(KrippendorffAlpha(ratings, RatingLevel::kOrdinal), 0.815, 5e-4);
  EXPECT_NEAR(KrippendorffAlpha(ratings, RatingLevel::kInterval), 0.849, 5e-4);
  EXPECT_NEAR(KrippendorffAlpha(ratings, RatingLevel::kRatio), 0.797, 5e-4);
}

// Cohen's kappa as worked in Wikipedia's article: fifty proposals, (20, 5, 10, 15); 0.4.
TEST(AgreementTest, CohenWorkedAndUndefined) {
  EXPECT_NEAR(CohenKappa(std::vector<int64_t>{20, 5, 10, 15}, 2), 0.4, 1e-12);
  EXPECT_TRUE(std::isnan(CohenKappa(std::vector<int64_t>{7}, 1)));
  EXPECT_TRUE(std::isnan(CohenKappa(std::vector<int64_t>{0, 0, 0, 0}, 2)));
  const Ratings same = Read("a,b\n0.1,0.1\n0.1,0.1\n0.1,0.1\n");
  for (const RatingLevel level :
       {RatingLevel::kNominal, RatingLevel::kOrdinal, RatingLevel::kInterval, RatingLevel::kRatio}) {
    EXPECT_TRUE(std::isnan(KrippendorffAlpha(same, level)));
  }
}

}  // namespace
}  // namespace atelier::evaluate
