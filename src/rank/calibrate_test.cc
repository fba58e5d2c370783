#include "rank/calibrate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "rank/losses.h"

namespace atelier::rank {
namespace {

// Pairs whose true log-odds are the scores' differences over `boast`.
std::vector<JudgedPair> Pairs(double boast, size_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<JudgedPair> pairs;
  for (size_t i = 0; i < count; ++i) {
    const double truth = 4 * rng.Uniform() - 2;
    const bool first = rng.Uniform() < Sigmoid(truth);
    pairs.push_back({boast * (first ? truth : -truth), 1});
  }
  return pairs;
}

TEST(RankCalibrate, TakesBackWhatScoresBoast) {
  for (const double boast : {5.0, 1.0, 0.2}) {
    const double temperature = FitTemperature(Pairs(boast, 20000, 1));
    EXPECT_NEAR(temperature * boast, 1, 0.06) << boast;
    const std::vector<JudgedPair> fresh = Pairs(boast, 20000, 2);
    const double before = evaluate::ExpectedCalibrationError(PairBins(fresh, 1));
    const double after = evaluate::ExpectedCalibrationError(PairBins(fresh, temperature));
    EXPECT_LT(after, 0.02) << boast;
    if (boast != 1) {
      EXPECT_GT(before, 0.1) << boast;
      EXPECT_LT(PairLoss(fresh, temperature), PairLoss(fresh, 1) - 0.01);
    }
  }
}

TEST(RankCalibrate, KeepsToItsBounds) {
  EXPECT_LT(FitTemperature(std::vector<JudgedPair>(10, {1, 1})), 5);  // all right: not endless
  EXPECT_NEAR(FitTemperature(std::vector<JudgedPair>(10000, {-1, 1})), 1e-3, 1e-5);
  EXPECT_NEAR(FitTemperature(std::vector<JudgedPair>(3, {0, 1})), 1, 1e-9);
  EXPECT_NEAR(PairLoss(std::vector<JudgedPair>(3, {7, 1}), 1e-9), std::log(2), 1e-6);
}

TEST(RankCalibrate, PairsOfAChoiceShareItsWeight) {
  std::vector<JudgedPair> pairs = {{1, 1}};
  AppendPairs(std::vector<double>{0.5, 2, -1}, std::vector<double>{1, 0, 0}, 3, &pairs);
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[0].weight, 1);
  EXPECT_EQ(pairs[1].ahead, -1.5);
  EXPECT_EQ(pairs[2].ahead, 1.5);
  EXPECT_EQ(pairs[1].weight, 1.5);
  // Each pair both ways round.
  const auto bins = PairBins(std::vector<JudgedPair>{{2, 1}}, 1);
  EXPECT_EQ(bins[8].count, 1);
  EXPECT_EQ(bins[8].observed, 1);
  EXPECT_EQ(bins[1].count, 1);
  EXPECT_EQ(bins[1].observed, 0);
}

}  // namespace
}  // namespace atelier::rank
