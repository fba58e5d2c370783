#include "evaluate/ranking.h"

#include <cmath>

#include <gtest/gtest.h>

namespace atelier::evaluate {
namespace {

TEST(RankingTest, ByHand) {
  const Ranked ranked{{0, 1, 0, 0, 1, 0}, 3};
  EXPECT_DOUBLE_EQ(RecallAt(ranked, 2), 1.0 / 3);
  EXPECT_DOUBLE_EQ(RecallAt(ranked, 5), 2.0 / 3);
  EXPECT_DOUBLE_EQ(ReciprocalRank(ranked), 0.5);
  const double ideal = 1 + 1 / std::log2(3.0) + 0.5;
  EXPECT_DOUBLE_EQ(NdcgAt(ranked, 10), (1 / std::log2(3.0) + 1 / std::log2(6.0)) / ideal);
  EXPECT_DOUBLE_EQ(NdcgAt(ranked, 1), 0);
  EXPECT_DOUBLE_EQ(NdcgAt({{1}, 1}, 10), 1);
}

TEST(RankingTest, NothingFoundAndNothingToFind) {
  EXPECT_EQ(ReciprocalRank({{}, 1}), 0);
  EXPECT_EQ(RecallAt({{}, 0}, 5), 0);
  EXPECT_EQ(NdcgAt({{}, 0}, 5), 0);
}

}  // namespace
}  // namespace atelier::evaluate
