#include "track/curve.h"

#include <gtest/gtest.h>

namespace atelier::track {
namespace {

TEST(Curve, AShortOneKeepsEveryPoint) {
  Curve curve;
  for (int64_t step = 0; step < 800; ++step) curve.Add(step, static_cast<double>(step % 7));
  const std::vector<report::Point> points = curve.Points();
  ASSERT_EQ(points.size(), 800u);
  EXPECT_EQ(points[13].y, 6);
  EXPECT_TRUE(std::isnan(points[13].low)) << "no band where nothing was put together";
  EXPECT_EQ(curve.each(), 1u);
}

TEST(Curve, ALongOneKeepsMeansAndTheirRange) {
  Curve curve;
  for (int64_t step = 0; step < 100'000; ++step) {
    curve.Add(step, static_cast<double>(step) + (step % 2 == 0 ? 50 : -50));
  }
  const std::vector<report::Point> points = curve.Points();
  EXPECT_GT(points.size(), 390u);
  EXPECT_LE(points.size(), 800u);
  EXPECT_EQ(curve.each(), 128u);
  for (size_t i = 0; i + 1 < points.size(); ++i) {  // the last may be half full
    const double first = 128.0 * static_cast<double>(i);
    EXPECT_NEAR(points[i].x, first + 63.5, 1e-6);
    EXPECT_NEAR(points[i].y, first + 63.5, 1e-6);
    EXPECT_EQ(points[i].low, first + 1 - 50);
    EXPECT_EQ(points[i].high, first + 126 + 50);
  }
  EXPECT_EQ(curve.values(), 100'000u);
  EXPECT_EQ(curve.last(), 99'949);
  EXPECT_EQ(curve.lowest(), -49);
  EXPECT_EQ(curve.lowest_step(), 1);
  EXPECT_EQ(curve.highest(), 100'048);
  EXPECT_EQ(curve.highest_step(), 99'998);
}

TEST(Curve, WhatIsNoNumberIsAGapAndNoExtreme) {
  Curve curve;
  curve.Add(1, NAN);
  EXPECT_FALSE(curve.any_finite());
  curve.Add(2, INFINITY);
  curve.Add(3, 5);
  curve.Add(4, 5);
  EXPECT_TRUE(std::isnan(curve.Points()[0].y));
  EXPECT_EQ(curve.lowest(), 5);
  EXPECT_EQ(curve.highest_step(), 3);
}

}  // namespace
}  // namespace atelier::track
