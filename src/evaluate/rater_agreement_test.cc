#include "evaluate/rater_agreement.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atelier::evaluate {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
const std::vector<double> kScale = {1, 2, 3, 4, 5};
const RaterColumn kJudge = {1.2, 4.6, 3.4, 2.0, 5.0, 3.3, 4.4, 1.0, 2.7, 3.9, 4.9, 2.2};
const std::vector<RaterColumn> kPeople = {{1, 5, 4, 2, 5, 3, 4, 1, kNone, 4, 5, 1},
                                          {2, 5, 3, 2, 4, 3, 5, 1, 2, kNone, 5, 3}};

void ExpectMeasures(RaterMeasures got, const std::vector<double>& want) {
  for (size_t i = 0; i < RaterMeasures::kCount; ++i) {
    EXPECT_NEAR(At(&got, i), want[i], 1e-12) << RaterMeasureNames()[i];
  }
}

// scikit-learn 1.9.1 (cohen_kappa_score of the rounded numbers, quadratic), scipy 1.17.1 (spearmanr, kendalltau),
// krippendorff 0.9.0 (ordinal), each between the judge and one person over what both rated, then the mean.
TEST(RaterAgreementTest, EqualsThePeers) {
  ExpectMeasures(Agreement(kJudge, kPeople, kScale), {0.9218610594444192, 0.9209227851583304, 0.8151238417997329,
                                                      0.9201094936858547, 0.6818181818181819, 0.027272727272727296});
  ExpectMeasures(AgreementAmong(kPeople, kScale),
                 {0.8237885462555066, 0.8397435897435898, 0.7368421052631581, 0.8290449881610102, 0.5, 0.2});
}

TEST(RaterAgreementTest, AConstantJudgeHasNoCorrelationAndNoKappaAboveChance) {
  const RaterColumn constant(12, 3.0);
  RaterMeasures got = Agreement(constant, kPeople, kScale);
  EXPECT_TRUE(std::isnan(got.spearman));
  EXPECT_TRUE(std::isnan(got.tau));
  EXPECT_DOUBLE_EQ(got.kappa, 0);
  const RaterColumn nothing(12, kNone);
  got = Agreement(nothing, kPeople, kScale);
  for (size_t i = 0; i < RaterMeasures::kCount; ++i) EXPECT_TRUE(std::isnan(At(&got, i)));
  for (const auto& interval : AgreementIntervals(nothing, kPeople, kScale, 50, 1)) EXPECT_FALSE(interval.has_value());
}

TEST(RaterAgreementTest, IntervalsHoldTheValueAndRepeat) {
  const auto first = AgreementIntervals(kJudge, kPeople, kScale, 500, 7);
  const auto again = AgreementIntervals(kJudge, kPeople, kScale, 500, 7);
  RaterMeasures value = Agreement(kJudge, kPeople, kScale);
  for (size_t i = 0; i < RaterMeasures::kCount; ++i) {
    ASSERT_TRUE(first[i].has_value());
    EXPECT_EQ(first[i]->low, again[i]->low);
    EXPECT_LT(first[i]->low, At(&value, i));
    EXPECT_GT(first[i]->high, At(&value, i));
  }
  EXPECT_NE(AgreementIntervals(kJudge, kPeople, kScale, 500, 8)[0]->low, first[0]->low);
}

TEST(RaterAgreementTest, PairsWithinAGroup) {
  //                           group a: 3 > 1, judge says so; 3 = 3 does not count. group b: the judge errs, then ties.
  const std::vector<std::string> groups = {"a", "a", "a", "b", "b", "b"};
  const std::vector<RaterColumn> people = {{3, 1, 3, 5, 1, kNone}, {3, 1, 3, 5, 2, 3}};
  const RaterColumn judge = {4, 2, 2, 1, 3, 3};
  const PairAccuracy got = OrderAccuracy(judge, people, groups);
  EXPECT_EQ(got.pairs, 5U);  // a: 0-1, 1-2; b: 3-4, 3-5, 4-5
  EXPECT_DOUBLE_EQ(got.accuracy, (1 + 0.5 + 0 + 0 + 0.5) / 5);
  EXPECT_TRUE(
      std::isnan(OrderAccuracy(judge, people, std::vector<std::string>{"1", "2", "3", "4", "5", "6"}).accuracy));
  const PairAccuracy preferred =
      PreferenceAccuracy({0.9, 0.2, 0.5, kNone, 0.7}, std::vector<RaterColumn>{{1, 1, 0, 1, 0.5}});
  EXPECT_EQ(preferred.pairs, 3U);
  EXPECT_DOUBLE_EQ(preferred.accuracy, 0.5);
}

}  // namespace
}  // namespace atelier::evaluate
