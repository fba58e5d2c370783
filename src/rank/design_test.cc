// The weights against those that peers find (tools/golden_rank.py), the gradient against finite differences.
#include "rank/design.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/str.h"
#include "rank/lbfgs.h"

namespace atelier::rank {
namespace {

std::vector<size_t> AllOf(const Design& design) {
  std::vector<size_t> all(design.choices());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

Design RandomDesign(uint64_t seed, size_t narrow, size_t wide) {
  Rng rng(seed);
  Design design{
      .narrow = narrow, .wide = wide, .features = {}, .vectors = {}, .gains = {}, .first = {0}, .weights = {}};
  for (int choice = 0; choice < 12; ++choice) {
    const size_t options = 2 + rng.Below(4);
    for (size_t row = 0; row < options; ++row) {
      for (size_t i = 0; i < narrow; ++i) design.features.push_back(4 * rng.Uniform() - 2);
      for (size_t i = 0; i < wide; ++i) design.vectors.push_back(static_cast<float>(2 * rng.Uniform() - 1));
      design.gains.push_back(row == 0 ? 1 : 0);
    }
    design.first.push_back(design.gains.size());
    design.weights.push_back(0.5 + rng.Uniform());
  }
  return design;
}

TEST(RankDesign, GradientIsThatOfFiniteDifferences) {
  const Design design = RandomDesign(7, 3, 6);
  const std::vector<size_t> which = {0, 2, 3, 7, 11};
  for (const Loss loss : {Loss::kPairwise, Loss::kListwise}) {
    for (const size_t used : {3u, 9u}) {  // with and without the vectors
      Rng rng(3);
      std::vector<double> weights, gradient(used), ignored(used);
      for (size_t i = 0; i < used; ++i) weights.push_back(2 * rng.Uniform() - 1);
      const Penalty penalty{0.3, 0.05};
      Objective(design, which, loss, penalty, weights, gradient);
      for (size_t i = 0; i < used; ++i) {
        constexpr double kStep = 1e-5;
        std::vector<double> up = weights, down = weights;
        up[i] += kStep;
        down[i] -= kStep;
        const double wanted = (Objective(design, which, loss, penalty, up, ignored) -
                               Objective(design, which, loss, penalty, down, ignored)) /
                              (2 * kStep);
        EXPECT_NEAR(gradient[i], wanted, 1e-8) << Name(loss) << " " << i;
      }
    }
  }
}

TEST(RankDesign, WeightsAreThePeers) {
  const Json golden = ParseJson(ReadFile(ATELIER_SOURCE_DIR "/tests/golden/rank/fit.json"), "fit.json");
  ASSERT_EQ(golden.at("cases").size(), 4u);
  for (const Json& one : golden.at("cases")) {
    Design design{.narrow = 4, .wide = 0, .features = {}, .vectors = {}, .gains = {}, .first = {0}, .weights = {}};
    for (const Json& choice : one.at("choices")) {
      for (const Json& row : choice.at("rows")) {
        for (const Json& value : row) design.features.push_back(value.get<double>());
      }
      for (const Json& gain : choice.at("gains")) design.gains.push_back(gain.get<double>());
      design.first.push_back(design.gains.size());
      design.weights.push_back(choice.at("weight").get<double>());
    }
    const Loss loss = LossNamed(one.at("loss").get<std::string>()).value();
    const std::vector<double> weights =
        Fit(design, AllOf(design), loss, {one.at("l2").get<double>(), 0}, std::vector<double>(4, 0.0));
    // Both stop where the slope is below 1e-8 or less; with an l2 of 0.01 that is a distance of 1e-6 at most.
    for (size_t i = 0; i < 4; ++i)
      EXPECT_NEAR(weights[i], one.at("weights")[i].get<double>(), 2e-6) << one.at("loss") << " " << i;
  }
}

TEST(RankDesign, VectorsWeighAsFeaturesDo) {
  Design narrow = RandomDesign(9, 5, 0), wide = narrow;
  wide.vectors.assign(narrow.features.begin(), narrow.features.end());
  narrow.features.assign(wide.vectors.begin(), wide.vectors.end());  // in f32 both
  wide.features.clear();
  wide.narrow = 0;
  wide.wide = 5;
  for (const Loss loss : {Loss::kPairwise, Loss::kListwise}) {
    const auto a = Fit(narrow, AllOf(narrow), loss, {0.02, 7}, std::vector<double>(5, 0.0));
    const auto b = Fit(wide, AllOf(wide), loss, {7, 0.02}, std::vector<double>(5, 0.0));
    for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(a[i], b[i], 1e-5);
    EXPECT_EQ(a, Fit(narrow, AllOf(narrow), loss, {0.02, 7}, std::vector<double>(5, 0.0)));  // bit for bit
  }
}

TEST(RankMinimise, FindsTheBottomOfALongValley) {
  const ObjectiveFn valley = [](std::span<const double> at, std::span<double> gradient) {
    double value = 0, strength = 1;
    for (size_t i = 0; i < at.size(); ++i, strength *= 10) {
      const double off = at[i] - static_cast<double>(i + 1);
      value += strength * off * off / 2;
      gradient[i] = strength * off;
    }
    return value;
  };
  const Minimum found = Minimise(valley, std::vector<double>(6, 0.0));
  EXPECT_TRUE(found.converged);
  EXPECT_LT(found.iterations, 120u);
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(found.at[i], static_cast<double>(i + 1), 1e-7);
  EXPECT_FALSE(Minimise(valley, std::vector<double>(6, 0.0), {.iterations = 2}).converged);
}

}  // namespace
}  // namespace atelier::rank
