#include "rank/features.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"

namespace atelier::rank {
namespace {

double Of(std::string_view name, std::string_view text, const Json& context = nullptr) {
  return FindFeature(name)->measure({text, context});
}

TEST(RankFeatures, MeasureWhatTheySay) {
  EXPECT_EQ(Of("length", "好咖啡☕"), 4);
  EXPECT_EQ(Of("lines", "一\n\n \n二\n"), 2);
  EXPECT_EQ(Of("marks", "好，真好。A+B!？"), 2);
  EXPECT_EQ(Of("digits", "12块，３杯"), 3);
  EXPECT_EQ(Of("quantities", "600毫升，两杯"), 2);
  EXPECT_EQ(Of("price", "只要128元"), 1);
  EXPECT_EQ(Of("price", "128 毫升"), 0);
  EXPECT_EQ(Of("price", "for $18"), 1);
  EXPECT_EQ(Of("exclamations", "快来！Now!"), 2);
  EXPECT_EQ(Of("question", "渴了吗？"), 1);
  EXPECT_EQ(Of("question", "渴了。"), 0);
  EXPECT_EQ(Of("emoji", "好☕🎉 a+b"), 2);
  EXPECT_NEAR(Of("latin", "咖啡 ab"), 0.5, 1e-12);
}

TEST(RankFeatures, LookAtTheContext) {
  const Json record = {
      {"name", "手冲咖啡壶"}, {"features", {"304不锈钢", "细口"}}, {"price", "128元"}, {"stock", 7}, {"note", ""}};
  EXPECT_NEAR(Of("covers", "手冲咖啡壶，３０４不锈钢", record), 2.0 / 5, 1e-12);  // full width is no other number
  EXPECT_EQ(Of("covers", "什么都没有"), 0);
  EXPECT_EQ(ContextText(record), "手冲咖啡壶\n304不锈钢\n细口\n128元\n7");
  EXPECT_EQ(ContextText("就这样"), "就这样");
  EXPECT_EQ(ContextText(nullptr), "");
  EXPECT_EQ(Of("echo", "咖啡壶", "咖啡壶"), 1);
  EXPECT_EQ(Of("echo", "茶", "咖啡壶"), 0);
  EXPECT_EQ(Of("echo", "☕"), 0);  // nothing is not like nothing
}

TEST(RankFeatures, AreFiniteForEverything) {
  std::set<std::string_view> names;
  const std::string broken = "\xff\xfe好\xe5", huge(1 << 16, '9');
  for (const Feature& feature : AllFeatures()) {
    EXPECT_TRUE(names.insert(feature.name).second);
    EXPECT_FALSE(feature.meaning.zh.empty());
    for (const std::string& text : {std::string(), broken, huge, std::string("\0!", 2)}) {
      for (const Json& context : {Json(), Json("x"), Json{{"a", {{"b", {1, true, nullptr}}}}}}) {
        const double value = feature.measure({text, context});
        EXPECT_TRUE(std::isfinite(value) && value >= 0 && value <= 1e12) << feature.name;
      }
    }
  }
  EXPECT_EQ(FindFeature("likelihood"), nullptr);
}

TEST(RankFeatures, WhatIsComputedIsNotBrought) {
  const artefact::RankOption option{"四个字啊", {{"length", 99}, {"likelihood", -2}, {"odd", NAN}, {"far", 1e13}}};
  EXPECT_EQ(FeatureOf("length", option, nullptr), 4);
  EXPECT_EQ(FeatureOf("likelihood", option, nullptr), -2);
  for (const char* name : {"absent", "odd", "far"}) {
    try {
      FeatureOf(name, option, nullptr);
      FAIL() << name;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kInvalidInput);
      EXPECT_NE(std::string_view(e.what()).find(name), std::string_view::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace atelier::rank
