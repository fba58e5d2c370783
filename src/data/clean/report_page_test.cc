#include "data/clean/report_page.h"

#include <gtest/gtest.h>

#include "base/str.h"

namespace atelier::data::clean {
namespace {

Report Sample() {
  Report report;
  report.read = 200;
  report.kept = 150;
  report.bytes_in = 4096;
  report.bytes_out = 2048;
  OperationReport one;
  one.name = "normalise";
  one.tally.seen = 200;
  one.tally.changed = 80;
  one.tally.changes.push_back({7, "ＡＢＣ", "ABC", ""});
  report.operations.push_back(one);
  OperationReport two;
  two.name = "rules";
  two.tally.seen = 200;
  two.tally.dropped = 50;
  two.tally.reasons = {{"short", 10}, {"<script>alert(1)</script>", 40}};
  two.tally.drops.push_back({9, "\"text\":\"</code><img src=x onerror=alert(2)>\u202e\"}", "", "short"});
  two.findings = Json{{"note", "<svg onload=alert(3)>"}};
  report.operations.push_back(two);
  return report;
}

TEST(ReportPage, HasBarsReasonsAndSamples) {
  const std::string page = ReportPage(Sample(), "reviews@2", "en");
  const auto has = [&](std::string_view text) { return page.find(text) != std::string::npos; };
  EXPECT_TRUE(has("<html lang=\"en\">"));
  EXPECT_TRUE(has("200 records read · 150 kept · 50 dropped"));
  EXPECT_TRUE(has("<span class=\"changed\" style=\"width:40.0%\" title=\"80\">"));
  EXPECT_TRUE(has("<span class=\"in\" style=\"width:60.0%\" title=\"120\">"));
  EXPECT_TRUE(has("<span class=\"dropped\" style=\"width:25.0%\" title=\"50\">"));
  EXPECT_TRUE(has("<del>ＡＢＣ</del>"));
  EXPECT_TRUE(has("<ins>ABC</ins>"));
  // The most frequent reason first, its bar the longest.
  EXPECT_LT(page.find("alert(1)"), page.find("<bdi>short</bdi></span>"));
  EXPECT_TRUE(has("width:25.0%\"></div>"));
  const std::string chinese = ReportPage(Sample(), "评论@2", "zh");
  EXPECT_NE(chinese.find("<html lang=\"zh-CN\">"), std::string::npos);
  EXPECT_NE(chinese.find("200 条已读取 · 150 条保留 · 50 条被去除"), std::string::npos);
}

TEST(ReportPage, HostileTextStaysText) {
  for (const char* language : {"en", "zh"}) {
    const std::string page = ReportPage(Sample(), "<i>@1", language);
    EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
    for (const char* raw : {"<script", "<img", "<svg", "<i>@1"}) EXPECT_EQ(page.find(raw), std::string::npos) << raw;
    EXPECT_NE(page.find("&lt;script&gt;alert(1)"), std::string::npos);
  }
}

TEST(ReportPage, WhatWasMaskedStaysHidden) {
  Report report = Sample();
  report.operations[0].tally.changes = {{1, std::string(kNotShown), "call [phone]", ""}};
  const std::string page = ReportPage(report, "a@1", "zh");
  EXPECT_NE(page.find("<bdi>（不显示）</bdi>"), std::string::npos);
  EXPECT_NE(page.find("<bdi>call [phone]</bdi>"), std::string::npos);
}

TEST(ReportPage, NothingRead) {
  const std::string page = ReportPage(Report(), "empty@1", "en");
  EXPECT_NE(page.find("0 records read"), std::string::npos);
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

}  // namespace
}  // namespace atelier::data::clean
