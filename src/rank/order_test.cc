#include "rank/order.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atelier::rank {
namespace {

Choice Shown(std::vector<double> gains, std::string group, double weight = 1) {
  Choice choice;
  for (size_t i = 0; i < gains.size(); ++i) choice.options.push_back({"文", {}});
  choice.gains = std::move(gains);
  choice.group = std::move(group);
  choice.weight = weight;
  return choice;
}

TEST(RankOrder, Measures) {
  const std::vector<Choice> choices = {Shown({0, 1, 0}, "a"), Shown({1, 0}, "b", 3)};
  const Order order = MeasureOrder("x", choices, {{3, 2, 1}, {1, 1}});
  EXPECT_NEAR(order.accuracy, (0.5 + 3 * 0.5) / 4, 1e-12);  // one of two right; equal scores half
  EXPECT_NEAR(order.ndcg, (1 / std::log2(3) + 3 * (1 + 1 / std::log2(3)) / 2) / 4, 1e-12);
  EXPECT_NEAR(order.mrr, 0.5, 1e-12);  // among equals what was taken comes last
  EXPECT_EQ(MeasureOrder("x", choices, {{0, 1, 0}, {1, 0}}).accuracy, 1);
}

TEST(RankOrder, ErrorIsOverGroups) {
  std::vector<Choice> apart, together;
  std::vector<std::vector<double>> scores;
  for (int i = 0; i < 8; ++i) {
    apart.push_back(Shown({1, 0}, std::to_string(i)));
    together.push_back(Shown({1, 0}, i < 4 ? "a" : "b"));
    scores.push_back(i < 4 ? std::vector<double>{1, 0} : std::vector<double>{0, 1});
  }
  EXPECT_NEAR(MeasureOrder("x", apart, scores).error, 0.5 / std::sqrt(7), 1e-12);
  EXPECT_NEAR(MeasureOrder("x", together, scores).error, 0.5, 1e-12);
  EXPECT_TRUE(std::isnan(MeasureOrder("x", std::span(together).first(4), scores).error));
}

TEST(RankOrder, RandomIsTheMeanOverAllOrders) {
  const std::vector<Choice> choices = {Shown({1, 0, 0}, "a"), Shown({1, 1, 0, 0}, "b")};
  const Order order = MeasureRandom(choices);
  EXPECT_NEAR(order.accuracy, 0.5, 1e-12);
  const double one = (1 + 0.5 + 1.0 / 3) / 3;
  const double two = (3 + 2 * 0.5 + 1.0 / 3) / 6;  // of the six places of two among four three begin at 1, two at 2
  EXPECT_NEAR(MeasureRandom(std::span(choices).first(1)).mrr, one, 1e-12);
  EXPECT_NEAR(order.mrr, (one + two) / 2, 1e-12);
}

}  // namespace
}  // namespace atelier::rank
