#include "rank/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/rng.h"
#include "base/str.h"

namespace atelier::rank {
namespace {

std::vector<std::string> Groups(size_t choices, size_t groups) {
  Rng rng(4);
  std::vector<std::string> out;
  for (size_t i = 0; i < choices; ++i) out.push_back(Cat("读者", rng.Below(groups)));
  return out;
}

TEST(RankSplit, NeverPartsAGroup) {
  for (const size_t count : {3u, 20u, 90u}) {
    const std::vector<std::string> groups = Groups(300, count);
    const std::vector<bool> held = HoldOut(groups, 0.2, 1);
    const std::vector<size_t> folds = Folds(groups, 3, 1);
    std::map<std::string, std::pair<bool, size_t>> seen;
    for (size_t i = 0; i < groups.size(); ++i) {
      const auto [at, fresh] = seen.emplace(groups[i], std::pair(held[i], folds[i]));
      EXPECT_EQ(at->second, std::pair(static_cast<bool>(held[i]), folds[i])) << groups[i];
    }
    const auto taken = std::count(held.begin(), held.end(), true);
    EXPECT_GT(taken, 0);
    EXPECT_LT(taken, 300);
    if (count > 3) {
      EXPECT_NEAR(static_cast<double>(taken), 60, 8);
    }
    EXPECT_EQ(std::set<size_t>(folds.begin(), folds.end()).size(), 3u);
  }
}

TEST(RankSplit, DoesNotDependOnTheOrderOfLines) {
  const std::vector<std::string> groups = Groups(200, 40);
  std::vector<std::string> turned(groups.rbegin(), groups.rend());
  std::vector<bool> held = HoldOut(groups, 0.2, 1), held_turned = HoldOut(turned, 0.2, 1);
  std::reverse(held_turned.begin(), held_turned.end());
  EXPECT_EQ(held, held_turned);
  EXPECT_NE(held, HoldOut(groups, 0.2, 2));
  std::vector<size_t> folds = Folds(groups, 5, 1), folds_turned = Folds(turned, 5, 1);
  std::reverse(folds_turned.begin(), folds_turned.end());
  EXPECT_EQ(folds, folds_turned);
}

TEST(RankSplit, AGroupTooLargeToHoldOutIsLearnedFrom) {
  std::vector<std::string> groups(90, "large");
  groups.insert(groups.end(), {"a", "b", "b"});
  const std::vector<bool> held = HoldOut(groups, 0.01, 1);  // not even one choice fits
  EXPECT_EQ(std::count(held.begin(), held.end(), true), 1);
  EXPECT_TRUE(held[90]);
}

TEST(RankSplit, TheSimplestThatIsAsGoodAsTheBest) {
  const std::vector<double> weights(40, 1.0);
  std::vector<std::string> alone, together;
  std::vector<double> far(40, 1.0), near(40), best(40, 0.5);
  for (size_t i = 0; i < 40; ++i) {
    alone.push_back(Cat(i));
    together.push_back(i < 20 ? "one reader" : Cat(i));
    near[i] = i < 20 ? 0.6 : 0.46;  // worse by 0.03 in the mean, over 0.07 / sqrt(39) = 0.0112 of error
  }
  EXPECT_EQ(SimplestNearBest(std::vector{far, near, best}, weights, alone), 2u);
  // The same losses, where one reader made half of the choices: nobody knows whether others are like him.
  EXPECT_EQ(SimplestNearBest(std::vector{far, near, best}, weights, together), 1u);
  EXPECT_EQ(SimplestNearBest(std::vector{far, near, best}, weights, alone, 9), 1u);
  EXPECT_EQ(SimplestNearBest(std::vector{best, near, far}, weights, alone), 0u);
}

}  // namespace
}  // namespace atelier::rank
