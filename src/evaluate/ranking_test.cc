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

TEST(RankingTest, BootstrapKnowsNoiseFromAGain) {
  std::vector<double> a, b, c;
  for (int i = 0; i < 80; ++i) {
    b.push_back((i * 37 % 100) / 100.0);
    a.push_back(b.back() + 0.1);
    c.push_back(b.back() + (i % 2 == 0 ? 0.2 : -0.2));
  }
  const Bootstrap gain = PairedBootstrap(a, b), noise = PairedBootstrap(c, b), loss = PairedBootstrap(b, a);
  EXPECT_NEAR(gain.difference, 0.1, 1e-12);
  EXPECT_EQ(gain.p, 0);
  EXPECT_GT(gain.low, 0);
  EXPECT_GT(noise.p, 0.3);
  EXPECT_LT(noise.low, 0);
  EXPECT_GT(noise.high, 0);
  EXPECT_EQ(loss.p, 1);
  EXPECT_EQ(PairedBootstrap(c, b).low, noise.low);  // the same draws each time
}

}  // namespace
}  // namespace atelier::evaluate
