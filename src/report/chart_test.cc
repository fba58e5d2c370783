#include "report/chart.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/str.h"
#include "report/axis.h"
#include "report/chart_canvas.h"
#include "report/page.h"
#include "text/unicode.h"

namespace atelier::report {
namespace {

size_t CountOf(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
  return count;
}
bool Has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

using Texts = std::vector<std::string>;

TEST(Axis, TicksAreRound) {
  EXPECT_EQ(NiceTicks(0, 1, 6).labels, (Texts{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(NiceTicks(-3, 17, 5).labels, (Texts{"−5", "0", "5", "10", "15", "20"}));
  EXPECT_EQ(NiceTicks(0, 63.8, 6, true, true).labels, (Texts{"0", "20", "40", "60"}));
  EXPECT_EQ(NiceTicks(0, 1, 5).labels, (Texts{"0.00", "0.25", "0.50", "0.75", "1.00"}));
  EXPECT_EQ(NiceTicks(0, 3e6, 4).labels, (Texts{"0", "1e6", "2e6", "3e6"}));
  EXPECT_EQ(NiceTicks(0, 2e-7, 3).labels, (Texts{"0", "1e−7", "2e−7"}));
}

TEST(Axis, TicksLieWithinTheAxisWhateverTheRange) {
  for (const double low : {-1e300, -7.3, -1e-300, 0.0, 1e-300, 3.0, 1e15, 1e299}) {
    for (const double wide : {0.0, 1e-300, 1e-9, 0.1, 1.0, 12345.678, 1e300}) {
      if (low + wide > 1e300) continue;
      for (const bool fixed : {false, true}) {
        const Ticks ticks = NiceTicks(low, low + wide, 6, fixed, fixed);
        ASSERT_TRUE(std::isfinite(ticks.low) && std::isfinite(ticks.high)) << low << " " << wide;
        EXPECT_LT(ticks.low, ticks.high);
        EXPECT_LE(ticks.low, low);
        EXPECT_GE(ticks.high, low + wide);
        EXPECT_LE(ticks.at.size(), 16u);
        for (const double at : ticks.at) {
          const double slack = (ticks.high - ticks.low) * 1e-9;
          EXPECT_TRUE(at >= ticks.low - slack && at <= ticks.high + slack) << low << " " << wide << " " << at;
        }
      }
    }
  }
}

TEST(Text, NamesOnPagesStayInOneLine) {
  EXPECT_EQ(HtmlName("<b>\x7f\u202e\n"), "<bdi>&lt;b&gt;\uFFFD\uFFFD </bdi>");
  EXPECT_LT(text::CountChars(HtmlName(std::string(10'000, 'x'))), 80u);
  std::string heap = "z";
  for (int i = 0; i < 5000; ++i) heap += "\u0301";
  EXPECT_EQ(text::CountChars(HtmlName(heap)), 16u);  // z, four marks, <bdi></bdi>
  EXPECT_EQ(Html("a\x7f\x01\t<"), "a&#xFFFD;&#xFFFD;\t&lt;");
}

TEST(Text, FitsAndStaysText) {
  EXPECT_EQ(FitText("short", 200, 12), "short");
  const std::string cut = FitText(std::string(10'000, 'w'), 100, 12);
  EXPECT_TRUE(cut.ends_with("…"));
  EXPECT_LE(TextWidth(cut, 12), 100);
  EXPECT_GT(TextWidth(cut, 12), 80);
  EXPECT_LE(TextWidth(FitText("一二三四五六七八九十一二三四五六七八九十", 100, 12), 12), 100);
  EXPECT_EQ(SvgText("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(SvgText("a\x01\x7f\u0085\u202e\u2066\uFFFE\xff"), "a\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(SvgText("a\nb\tc"), "a b c");
  EXPECT_EQ(SvgText("你好吗", 2), "你好…");
  // Heaps of marks upon one letter are not drawn higher than five.
  std::string heap = "z";
  for (int i = 0; i < 5000; ++i) heap += "\u0301";
  EXPECT_LE(text::CountChars(FitText(heap, 100, 12)), 6u);
  EXPECT_EQ(Pixels(-0.001), "0");
  EXPECT_EQ(Pixels(12.5), "12.5");
}

Bars SmallBars() {
  Bars chart;
  chart.frame = {.title = "A & B", .x = "score", .y = "", .description = "", .chinese = false, .width = 300};
  chart.series = {"new", "old"};
  chart.groups = {{"BLEU", {{50, 40, 60}, {25}}}};
  chart.decimals = 1;
  return chart;
}

// The bytes of one small chart: whoever changes how charts look changes this, too.
TEST(Bars, Golden) { EXPECT_EQ(Draw(SmallBars()), ReadFile(Cat(ATELIER_SOURCE_DIR, "/tests/golden/report/bars.svg"))); }

TEST(Bars, WhatCannotBeDrawnIsSaid) {
  Bars chart = SmallBars();
  chart.groups = {{"a", {{kMissing}, {INFINITY}}}, {"b", {{1e305}, {3, -INFINITY, 5}}}};
  const std::string svg = Draw(chart);
  EXPECT_TRUE(Has(svg, "2 values are no finite numbers and left out"));
  EXPECT_FALSE(Has(svg, "nan") || Has(svg, "inf\""));
  EXPECT_EQ(CountOf(svg, ">–</text>"), 3u);
  EXPECT_EQ(CountOf(svg, "class=\"mark\""), 0u);  // half an interval is none
  chart.frame.chinese = true;
  EXPECT_TRUE(Has(Draw(chart), "2 个值不是有限数，未画出"));
  chart.groups.assign(1000, chart.groups[0]);
  EXPECT_TRUE(Has(Draw(chart), "只画出前 60 组（共 1000 组）"));
  EXPECT_LT(Draw(chart).size(), 100'000u);
  EXPECT_TRUE(Draw(Bars()).ends_with("</svg>\n"));
}

TEST(Matrix, ShowsCountsSharesAndManyClasses) {
  ConfusionMatrix chart;
  chart.classes.assign({"yes", "no"});
  chart.counts = {30, 10, 0, 5};
  const std::string svg = Draw(chart);
  EXPECT_TRUE(Has(svg, "<title>yes → no: 10 (25 %)</title>"));
  EXPECT_TRUE(Has(svg, "fill-opacity=\"0.77\""));  // 0.08 + 0.92 * 0.75
  EXPECT_EQ(CountOf(svg, "<rect"), 4u);
  // 50 classes, of which the last is the largest and the first the smallest.
  chart.classes.clear();
  chart.counts.assign(2500, 0);
  for (int64_t i = 0; i < 50; ++i) {
    chart.classes.push_back(Cat("c", i));
    chart.counts[static_cast<size_t>(i * 50 + i)] = i;
    chart.counts[static_cast<size_t>(i * 50)] += 1;
  }
  const std::string many = Draw(chart);
  EXPECT_EQ(CountOf(many, "<rect"), 1600u);
  EXPECT_TRUE(Has(many, "the 39 classes with most cases; the other 11 are added up"));
  EXPECT_TRUE(Has(many, ">c11</text>"));
  EXPECT_FALSE(Has(many, ">c10</text>"));
  EXPECT_TRUE(Has(many, "<title>11 others → 11 others: 66 (100 %)</title>"));  // 0 + ... + 10, and 11 in column 0
  EXPECT_TRUE(Draw(ConfusionMatrix()).ends_with("</svg>\n"));
}

TEST(HeatMap, ShadesNamesAndBounds) {
  HeatMap map;
  map.frame.chinese = true;
  map.frame.x = "原文";
  map.rows = {"打", "<b>", " "};
  map.columns = {"Open", ""};
  map.values = {0.9, 0.1, 0, 1, std::nan(""), 7};
  const std::string svg = Draw(map);
  EXPECT_EQ(CountOf(svg, "class=\"cell\""), 5u);
  EXPECT_TRUE(Has(svg, "打 → Open: 0.900"));
  EXPECT_TRUE(Has(svg, "fill-opacity=\"0.9\""));  // 0.03 + 0.97 x 0.9
  EXPECT_TRUE(Has(svg, "&lt;b&gt; → ∅: 1.000"));
  EXPECT_FALSE(Has(svg, "<b>"));
  EXPECT_TRUE(Has(svg, "␣ → ∅: 7.000"));  // the tip tells what it was
  EXPECT_TRUE(Has(svg, "1 个值不是有限数"));
  EXPECT_TRUE(Has(svg, "<desc>打 → Open 0.90; &lt;b&gt; → ∅ 1.00; ␣ → ∅ 1.00</desc>"));

  map = {};
  for (int i = 0; i < 150; ++i) map.rows.push_back("r"), map.columns.push_back("c");
  map.values.assign(150 * 150, 0.5);
  const std::string many = Draw(map);
  EXPECT_EQ(CountOf(many, "class=\"cell\""), 10'000u);
  EXPECT_TRUE(Has(many, "the first 100 of 150 rows"));
  map.values.pop_back();  // not as many as there are cells
  EXPECT_TRUE(Has(Draw(map), "nothing to draw"));
  EXPECT_TRUE(Has(Draw(HeatMap{}), "nothing to draw"));
}

TEST(Lines, GapsBandsAndBounds) {
  Lines chart;
  chart.series = {{"a", {{0, 1, 0.5, 1.5}, {1, 2, 1.5, 2.5}, {2, kMissing}, {3, 1}, {4, 2}}, false}};
  std::string svg = Draw(chart);
  const size_t at = svg.find("class=\"l0\" d=\"");
  const std::string path = svg.substr(at, svg.find('"', at + 14) - at);
  EXPECT_EQ(CountOf(path, "M"), 2u);  // one gap
  EXPECT_EQ(CountOf(svg, "fill-opacity=\"0.18\""), 1u);
  EXPECT_FALSE(Has(svg, "left out"));
  // A million noisy points are a picture's worth of them.
  chart.series[0].points.clear();
  for (int i = 0; i < 1'000'000; ++i) chart.series[0].points.push_back({static_cast<double>(i), (i * 37 % 101) / 10.0});
  chart.series[0].points.push_back({5, INFINITY});
  svg = Draw(chart);
  EXPECT_LT(svg.size(), 100'000u);
  EXPECT_TRUE(Has(svg, "1 value is no finite number and left out"));
  EXPECT_TRUE(Draw(Lines()).ends_with("</svg>\n"));
  chart = Lines();
  for (int i = 0; i < 500; ++i) {
    chart.names.push_back(Cat("run number ", i));
    chart.series.push_back({Cat(i), {{static_cast<double>(i), 1}}});
  }
  EXPECT_TRUE(Has(Draw(chart), "the first 12 of 500 lines"));
}

TEST(Lines, NamesOfRunsDoNotOverlap) {
  Lines chart;
  chart.series = {{"a", {}}};
  for (int i = 0; i < 30; ++i) {
    chart.names.emplace_back(i % 2 ? "2026-11-28T12:00" : "十一月二十八日");
    chart.series[0].points.push_back({static_cast<double>(i), 1.0 * i});
  }
  const std::string svg = Draw(chart);
  double free_from = -1;
  size_t labels = 0;
  for (size_t at = svg.find("text-anchor=\"middle\">"); at != std::string::npos;
       at = svg.find("text-anchor=\"middle\">", at + 1)) {
    const size_t begin = svg.rfind(" x=\"", at) + 4;
    const double x = *ParseDouble(svg.substr(begin, svg.find('"', begin) - begin));
    const size_t text = at + 21;
    const double half = TextWidth(svg.substr(text, svg.find('<', text) - text), kFontSize) / 2;
    EXPECT_GT(x - half, free_from);
    free_from = x + half;
    ++labels;
  }
  EXPECT_GE(labels, 4u);
}

TEST(Roc, IsSquareWithItsDiagonal) {
  const std::string svg = Draw(RocChart({{"a (AUC 0.9)", {{0, 0}, {0, 1}, {1, 1}}}, {"b", {{0, 0}, {1, 1}}}}, false));
  EXPECT_EQ(CountOf(svg, "stroke-dasharray=\"4 4\""), 1u);
  EXPECT_TRUE(Has(svg, ">a (AUC 0.9)</text>"));
  EXPECT_TRUE(Has(Draw(PrecisionRecallChart({}, true)), "召回率"));
}

TEST(Calibration, EmptyBinsHaveNoPoint) {
  Calibration chart;
  chart.bins = {{0, 0.5, 10, 0.25, 0.2}, {0.5, 1, 0, 0, 0}};
  const std::string svg = Draw(chart);
  EXPECT_EQ(CountOf(svg, "<circle"), 1u);
  EXPECT_EQ(CountOf(svg, "<rect"), 1u);
  EXPECT_TRUE(Has(svg, "<desc>0.25 → 0.2 (10)</desc>"));
  EXPECT_TRUE(Draw(Calibration()).ends_with("</svg>\n"));
}

TEST(Scatter, DrawsTrendsAndBoundsPoints) {
  Scatter chart;
  chart.series = {{"a", {}}};
  for (int i = 0; i < 60; ++i) chart.series[0].points.push_back({static_cast<double>(i), 2.0 * i});
  std::string svg = Draw(chart);
  EXPECT_EQ(CountOf(svg, "r=\"2.5\""), 60u);
  EXPECT_EQ(CountOf(svg, "r=\"4\""), 12u);
  EXPECT_TRUE(Has(svg, "<title>2, 4</title></circle>\n<circle class=\"s0\""));  // the mean of 0 to 4
  for (int i = 0; i < 200'000; ++i) chart.series[0].points.push_back({i % 977 / 10.0, i % 1013 / 10.0});
  chart.series[0].points.push_back({NAN, 1});
  svg = Draw(chart);
  EXPECT_EQ(CountOf(svg, "r=\"2.5\""), 0u);
  EXPECT_LT(svg.size(), 600'000u);
  EXPECT_TRUE(Has(svg, "200060 points, drawn as density"));
  EXPECT_TRUE(Has(svg, "1 value is no finite number"));
  EXPECT_TRUE(Has(svg, ">100</text>"));
  chart.series[0].points.assign(5, {1, 1});
  chart.series[0].points.push_back({100'000, 1});
  EXPECT_TRUE(Has(Draw(chart), ">100000</text>"));
  // Points of one x stay in one part, however many they are.
  chart.series[0].points.clear();
  for (int i = 0; i < 40; ++i) chart.series[0].points.push_back({i < 30 ? 1.0 : 2.0, static_cast<double>(i)});
  svg = Draw(chart);
  EXPECT_EQ(CountOf(svg, "r=\"4\""), 2u);
  EXPECT_TRUE(Has(svg, "<title>1, 14.5</title>"));
  // All in one place.
  chart.series[0].points.assign(10, {7, 7});
  EXPECT_FALSE(Has(Draw(chart), "nan"));
  EXPECT_TRUE(Draw(Scatter()).ends_with("</svg>\n"));
}

TEST(Histogram, CountsEveryValueOnce) {
  Histogram chart;
  chart.series = {{"a", {}}};
  for (int i = 0; i < 1000; ++i) chart.series[0].values.push_back(i * 0.0999);
  chart.series[0].values.push_back(100);
  chart.low = 0;
  chart.high = 100;
  const std::string svg = Draw(chart);
  EXPECT_TRUE(Has(svg, "<title>0 – 5: 51</title>"));
  EXPECT_TRUE(Has(svg, "<title>95 – 100: 50</title>"));  // 951 to 999, and 100 itself
  // Few whole numbers: a bin each, around it.
  chart = Histogram();
  chart.series = {{"a", {1, 1, 2, 5, NAN}}};
  const std::string whole = Draw(chart);
  EXPECT_TRUE(Has(whole, "<title>0.5 – 1.5: 2</title>"));
  EXPECT_TRUE(Has(whole, "1 value is no finite number and left out"));
  // Counts have no fractions; a scale that is given stays, whole numbers or not.
  EXPECT_FALSE(Has(whole, ">0.5</text>"));
  chart.series = {{"a", {0, 0}}};
  chart.low = 0;
  chart.high = 100;
  const std::string zero = Draw(chart);
  EXPECT_TRUE(Has(zero, "<title>0 – 20: 2</title>") || Has(zero, "<title>0 – 10: 2</title>")) << zero;
  EXPECT_FALSE(Has(zero, "−"));
  EXPECT_TRUE(Draw(Histogram()).ends_with("</svg>\n"));
}

TEST(Charts, TheSameChartIsTheSameBytes) { EXPECT_EQ(Draw(SmallBars()), Draw(SmallBars())); }

}  // namespace
}  // namespace atelier::report
