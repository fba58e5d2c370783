#include "evaluate/style.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "base/str.h"
#include "evaluate/surface_style.h"

namespace atelier::evaluate {
namespace {

std::vector<float> Draw(uint64_t seed, size_t rows, size_t dims, double tilt) {
  Rng rng(seed);
  std::vector<float> out;
  for (size_t i = 0; i < rows; ++i) {
    std::vector<double> row;
    double square = 0;
    for (size_t d = 0; d < dims; ++d) {
      row.push_back(rng.Uniform() + rng.Uniform() - 1 + (d == 0 ? tilt : 0));
      square += row.back() * row.back();
    }
    for (const double value : row) out.push_back(static_cast<float>(value / std::sqrt(square)));
  }
  return out;
}

TEST(Style, EveryTextIsHeldAgainstTheOthers) {
  const size_t dims = 5, n = 40;
  const std::vector<float> vectors = Draw(3, n, dims, 1);
  const UnitRows house{vectors, dims};
  ThreadPool threads(3);
  const std::vector<double> middle = ToMiddleWithoutSelf(house), nearest = ToNearestWithoutSelf(house, 4, &threads);
  double pairs = 0;
  for (size_t i = 0; i < n; ++i) {
    // Plainly: the house without i, then i against it.
    std::vector<float> rest = vectors;
    rest.erase(rest.begin() + static_cast<int64_t>(i * dims), rest.begin() + static_cast<int64_t>((i + 1) * dims));
    const UnitRows one{std::span(vectors).subspan(i * dims, dims), dims}, others{rest, dims};
    EXPECT_NEAR(middle[i], ToMiddle(one, others)[0], 1e-9);
    std::vector<double> cosines;
    for (size_t j = 0; j < n; ++j) {
      double dot = 0;
      for (size_t d = 0; d < dims; ++d) dot += static_cast<double>(vectors[i * dims + d]) * vectors[j * dims + d];
      if (j != i) cosines.push_back(dot), pairs += dot;
    }
    std::sort(cosines.rbegin(), cosines.rend());
    EXPECT_NEAR(nearest[i], (cosines[0] + cosines[1] + cosines[2] + cosines[3]) / 4, 1e-9);
    EXPECT_NEAR(ToNearest(one, others, 4, &threads)[0], nearest[i], 1e-9);
  }
  EXPECT_NEAR(Spread(house), 1 - pairs / static_cast<double>(n * (n - 1)), 1e-6);
  // Fewer texts than are asked for: all of them.
  const UnitRows two{std::span(vectors).first(2 * dims), dims};
  EXPECT_NEAR(ToNearestWithoutSelf(two, 9, &threads)[0], ToMiddleWithoutSelf(two)[0], 1e-6);
  const std::vector<float> opposite = {1, 0, -1, 0};
  EXPECT_EQ(ToMiddle(UnitRows{opposite, 2}, UnitRows{opposite, 2})[0], 0);  // a middle without direction
}

TEST(Style, PercentilesAreMannWhitneys) {
  // U = 20.5 of 24 with ties as one half: counted by hand.
  const std::vector<double> texts = {5, 7, 7, 9}, house = {1, 3, 5, 6, 7, 8};
  const Likeness likeness = CompareToHouse(texts, house);
  EXPECT_NEAR(likeness.percentile, (2.5 + 4.5 + 4.5 + 6) / 24, 1e-12);
  EXPECT_EQ(likeness.score(), 1);
  EXPECT_NEAR(likeness.p[0], 4.0 / 7, 1e-12);
  EXPECT_NEAR(likeness.p[3], 1, 1e-12);
  const Likeness far = CompareToHouse(std::vector<double>{0, 0}, house);
  EXPECT_EQ(far.score(), 0);
  EXPECT_NEAR(far.p[0], 1.0 / 7, 1e-12);
  EXPECT_LE(likeness.low, likeness.percentile);
  EXPECT_GE(likeness.high, likeness.percentile);
}

TEST(Style, TheSameHouseIsLikeItselfAndAnotherIsNot) {
  ThreadPool threads(1);
  size_t within = 0, outliers = 0, lines = 0, found = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const std::vector<float> house = Draw(1000 + seed, 60, 6, 1), same = Draw(5000 + seed, 40, 6, 1),
                             other = Draw(9000 + seed, 40, 6, 0.3);
    const UnitRows rows{house, 6};
    const std::vector<double> own = ToNearestWithoutSelf(rows, 5, &threads);
    const Likeness alike = CompareToHouse(ToNearest(UnitRows{same, 6}, rows, 5, &threads), own);
    within += std::abs(alike.percentile - 0.5) < 0.15;
    for (const double p : alike.p) outliers += p <= 0.05, ++lines;
    found += CompareToHouse(ToNearest(UnitRows{other, 6}, rows, 5, &threads), own).high < 0.5;
  }
  EXPECT_GE(within, 95u);
  EXPECT_LE(static_cast<double>(outliers) / static_cast<double>(lines), 0.06);
  EXPECT_GE(found, 95u);
}

size_t Feature(std::string_view name) {
  const auto features = Features();
  for (size_t f = 0; f < features.size(); ++f) {
    if (features[f].name == name) return f;
  }
  ADD_FAILURE() << name;
  return 0;
}

TEST(SurfaceStyle, FeaturesAreCountedPerHundredUnits) {
  const auto of = [](std::string_view text, std::string_view name) { return MeasureSurface(text)[Feature(name)]; };
  EXPECT_NEAR(of("好茶，好水！真好！", "exclamation marks"), 2 / 6.0 * 100, 1e-9);
  EXPECT_NEAR(of("好茶，好水！真好！", "commas"), 100 / 6.0, 1e-9);
  EXPECT_NEAR(of("我的茶", "small words: 的"), 100 / 3.0, 1e-9);
  EXPECT_NEAR(of("The tea and the cup", "small words: the, a"), 40, 1e-9);
  EXPECT_NEAR(of("Tea. More tea here.", "length of sentences"), std::log1p(2), 1e-9);
  EXPECT_NEAR(of("TEA tea", "capitals"), 0.5, 1e-9);
  EXPECT_NEAR(of("茶茶tea", "Han characters"), 2 / 3.0, 1e-9);
  EXPECT_NEAR(of("12茶茶", "digits"), 0.5, 1e-9);
  EXPECT_NEAR(of("茶☕", "symbols and emoji"), 100, 1e-9);
  for (const double value : MeasureSurface("")) EXPECT_EQ(value, 0);
  for (const double value : MeasureSurface("\xFF\xE4 ！\xF0")) EXPECT_TRUE(std::isfinite(value));
}

TEST(SurfaceStyle, WithoutSelfIsAHouseWithoutIt) {
  std::vector<std::vector<double>> texts;
  for (const std::string_view text : {"好茶。", "一杯好茶，慢慢喝。", "水开了！快来！", "The tea is hot.", "茶"})
    texts.push_back(MeasureSurface(text));
  const SurfaceHouse house(texts);
  const std::vector<double> deltas = house.DeltasWithoutSelf();
  for (size_t i = 0; i < texts.size(); ++i) {
    auto rest = texts;
    rest.erase(rest.begin() + static_cast<int64_t>(i));
    EXPECT_NEAR(deltas[i], SurfaceHouse(rest).Delta(texts[i]), 1e-9) << i;
    EXPECT_GT(deltas[i], 0);
  }
  for (const double delta : SurfaceHouse({texts[0], texts[1]}).DeltasWithoutSelf()) EXPECT_TRUE(std::isfinite(delta));
}

}  // namespace
}  // namespace atelier::evaluate
