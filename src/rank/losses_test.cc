#include "rank/losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"

namespace atelier::rank {
namespace {

TEST(RankLosses, SlopesAreThoseOfFiniteDifferences) {
  Rng rng(5);
  for (const Loss loss : {Loss::kPairwise, Loss::kListwise}) {
    for (int round = 0; round < 40; ++round) {
      const size_t options = 2 + rng.Below(6);
      std::vector<double> scores, gains, slope(options), ignored(options);
      for (size_t i = 0; i < options; ++i) {
        scores.push_back(6 * rng.Uniform() - 3);
        gains.push_back(i == 0 ? 2 : static_cast<double>(rng.Below(2)));
      }
      LossOf(loss, scores, gains, slope);
      double sum = 0;
      for (size_t i = 0; i < options; ++i) {
        constexpr double kStep = 1e-5;
        std::vector<double> up = scores, down = scores;
        up[i] += kStep;
        down[i] -= kStep;
        const double wanted = (LossOf(loss, up, gains, ignored) - LossOf(loss, down, gains, ignored)) / (2 * kStep);
        EXPECT_NEAR(slope[i], wanted, 1e-8) << Name(loss) << " " << i;
        sum += slope[i];
      }
      EXPECT_NEAR(sum, 0, 1e-12);  // what is added to all scores changes nothing
    }
  }
}

TEST(RankLosses, AreTheFormulas) {
  const std::vector<double> scores = {1, 0, -1}, gains = {0, 2, 1};
  std::vector<double> slope(3);
  // Pairs 1>0, 1>2, 2>0.
  EXPECT_NEAR(LossOf(Loss::kPairwise, scores, gains, slope),
              (std::log(1 + std::exp(1)) + std::log(1 + std::exp(-1)) + std::log(1 + std::exp(2))) / 3, 1e-12);
  // Two thirds of the mass on the second, one third on the last: those taken share it.
  const double sum = std::exp(1) + 1 + std::exp(-1);
  EXPECT_NEAR(LossOf(Loss::kListwise, scores, gains, slope),
              -(2.0 / 3 * std::log(1 / sum) + std::log(std::exp(-1) / sum) / 3), 1e-12);
}

TEST(RankLosses, DoNotOverflow) {
  for (const Loss loss : {Loss::kPairwise, Loss::kListwise}) {
    std::vector<double> slope(2);
    const std::vector<double> scores = {-1e9, 1e9}, gains = {1, 0};
    EXPECT_NEAR(LossOf(loss, scores, gains, slope), 2e9, 1) << Name(loss);
    EXPECT_NEAR(slope[0], -1, 1e-12);
    EXPECT_NEAR(slope[1], 1, 1e-12);
    EXPECT_NEAR(LossOf(loss, std::vector<double>{1e9, -1e9}, gains, slope), 0, 1e-12);
  }
  EXPECT_EQ(Sigmoid(-1e9), 0);
  EXPECT_EQ(Sigmoid(1e9), 1);
  EXPECT_EQ(LossNamed("listwise"), Loss::kListwise);
  EXPECT_FALSE(LossNamed("hinge"));
}

TEST(RankLosses, ChancesAreMeansOverTheOthers) {
  const std::vector<double> chances = Chances(std::vector<double>{1, 0, 0});
  EXPECT_NEAR(chances[0], 1 / (1 + std::exp(-1)), 1e-12);
  EXPECT_NEAR(chances[1], (0.5 + 1 / (1 + std::exp(1))) / 2, 1e-12);
  EXPECT_NEAR(chances[0] + chances[1] + chances[2], 1.5, 1e-12);
  EXPECT_EQ(Chances(std::vector<double>{7}), std::vector<double>{0.5});
  EXPECT_TRUE(Chances({}).empty());
}

}  // namespace
}  // namespace atelier::rank
