#include "track/run_report.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <regex>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "track/run_curves.h"
#include "track/tracking.h"

namespace atelier::track {
namespace {

class RunReportTest : public testing::Test {
 protected:
  RunReportTest() {
    folder_ = Cat(testing::TempDir(), "/", ::getpid(), "_report/诗 & <run>");
    std::filesystem::remove_all(folder_);
  }
  ~RunReportTest() override { std::filesystem::remove_all(folder_ + "/.."); }

  TrackerOptions Options(std::optional<int64_t> resume = {}) {
    TrackerOptions options;
    options.run.folder = folder_;
    options.run.config = Json{{"name", "<script>alert(1)</script>"}, {"seed", 7}};
    options.run.versions = Json{{"atelier", "0.1.0"}};
    options.sinks = {"metrics"};
    options.resume = resume;
    options.clock = [this] { return time_ += 1; };
    return options;
  }
  static size_t Count(const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
  }

  std::string folder_;
  double time_ = 1'790'000'000;
};

TEST_F(RunReportTest, RepliesStandSideBySide) {
  {
    Tracker tracker(Options());
    tracker.Text(0, "prompt/1", "壶 <3?");
    tracker.Text(0, "wanted/1", "好壶");
    tracker.Text(0, "reply/1", "said at first");
    tracker.Text(0, "prompt/2", "cup?");
    tracker.Text(0, "reply/2", "alone");
    for (int64_t step = 1; step <= 60; ++step) tracker.Text(step, "reply/1", Cat("said at ", step));
    tracker.Finish(60, "done");
  }
  const std::string page = ReportOfRun(folder_, "en");
  const size_t table = page.find("Replies before and after"), samples = page.find("<h2>Samples");
  ASSERT_LT(table, samples);
  ASSERT_LT(samples, page.size());
  const std::string rows = page.substr(table, samples - table);
  EXPECT_NE(
      rows.find("<td><bdi>壶 &lt;3?</bdi></td><td><bdi>好壶</bdi></td><td><small>0</small> <bdi>said at first</bdi>"
                "</td><td><small>60</small> <bdi>said at 60</bdi></td>"),
      std::string::npos)
      << rows;
  EXPECT_NE(
      rows.find("<td><bdi>cup?</bdi></td><td><bdi></bdi></td><td><small>0</small> <bdi>alone</bdi></td><td>–</td>"),
      std::string::npos)
      << rows;
  EXPECT_EQ(rows.find("said at 59"), std::string::npos);
  EXPECT_NE(page.find("said at 59", samples), std::string::npos);
  EXPECT_EQ(page.find("<h3><bdi>prompt/1"), std::string::npos);
  EXPECT_NE(ReportOfRun(folder_, "zh").find("训练前后的回复"), std::string::npos);
}

TEST_F(RunReportTest, ShowsWhatWasTold) {
  {
    Tracker tracker(Options());
    for (int64_t step = 1; step <= 20; ++step) {
      tracker.Scalars(step, {{"train/loss", 5.0 / static_cast<double>(step)}, {"rate", 1e-3}});
      if (step % 5 == 0) tracker.Scalar(step, "valid/loss", 6.0 / static_cast<double>(step));
    }
    for (int64_t step = 5; step <= 20; step += 5) {
      tracker.Text(step, "samples", Cat("第", step, "步：<b>床前明月光</b>"));
      tracker.Image(step, "digits", {2, 2, 1, {0, 255, static_cast<uint8_t>(step), 0}});
    }
    tracker.Histogram(20, "weights", std::vector<float>{1, 2, 3});
    tracker.Finish(20, "done", Json{{"best_step", 20}});
  }
  for (const std::string language : {"en", "zh"}) {
    const std::string page = ReportOfRun(folder_, language);
    EXPECT_EQ(Count(page, "<svg"), 3u) << "loss of both sides in one chart, rate, one histogram";
    EXPECT_NE(page.find("valid/loss"), std::string::npos);
    EXPECT_EQ(Count(page, "src=\"data:image/png;base64,iVBORw0KGgo"), 4u);
    EXPECT_EQ(Count(page, "&lt;b&gt;床前明月光&lt;/b&gt;"), 4u);
    EXPECT_EQ(page.find("<script"), std::string::npos);
    EXPECT_NE(page.find("&lt;script&gt;alert(1)"), std::string::npos);
    EXPECT_EQ(page.find("http"), page.find("http-equiv")) << "nothing from elsewhere";
    EXPECT_NE(page.find("img-src data:"), std::string::npos) << "or no browser shows the pictures";
    EXPECT_NE(page.find("<bdi>诗 &amp; &lt;run&gt;</bdi>"), std::string::npos);
    EXPECT_LT(page.find("第20步"), page.find("第5步")) << "the latest first";
    EXPECT_EQ(Count(page, "best_step"), 1u);
    const bool chinese = language == "zh";
    EXPECT_EQ(page.find("训练") != std::string::npos, chinese);
    EXPECT_EQ(page.find("Training") != std::string::npos, !chinese);
    EXPECT_NE(page.find(chinese ? "完成 · 20 步" : "done · 20 steps"), std::string::npos);
  }
  EXPECT_EQ(ReadFile(WriteReportOfRun(folder_, "zh")), ReportOfRun(folder_, "zh"));
  EXPECT_THROW(ReportOfRun(folder_, "fr"), Error);
}

TEST_F(RunReportTest, LowestAndHighestSayTheirSteps) {
  {
    Tracker tracker(Options());
    const std::vector<double> losses = {3, NAN, 1, 2, INFINITY, 1};
    for (size_t i = 0; i < losses.size(); ++i) tracker.Scalar(static_cast<int64_t>(i) + 10, "loss", losses[i]);
    tracker.Scalar(16, "nothing", NAN);
  }
  const std::string page = ReportOfRun(folder_, "en");
  const std::string n = "</td><td class=\"n\">";
  EXPECT_NE(page.find(Cat("1", n, "1", n, "12", n, "3", n, "10", n, "6</td>")), std::string::npos) << page;
  EXPECT_NE(page.find(Cat("NaN", n, "–", n, "–", n, "–", n, "–", n, "1</td>")), std::string::npos);
  EXPECT_NE(page.find("goes on, or died"), std::string::npos);
}

TEST_F(RunReportTest, ALongRunIsAPageOfTheSameSize) {
  size_t sizes[2];
  for (const int64_t steps : {2'000, 20'000}) {
    std::filesystem::remove_all(folder_);
    {
      Tracker tracker(Options());
      for (int64_t step = 0; step < steps; ++step) tracker.Scalar(step, "loss", std::sin(static_cast<double>(step)));
    }
    const std::string page = ReportOfRun(folder_, "en");
    EXPECT_NE(page.find("the mean of up to"), std::string::npos);
    sizes[steps == 20'000] = page.size();
  }
  EXPECT_LT(sizes[1], sizes[0] * 2);
}

TEST_F(RunReportTest, TheTimeBetweenTwoProcessesIsNotCounted) {
  {
    Tracker tracker(Options());
    tracker.Scalar(1, "loss", 1);
  }
  time_ += 86'400;
  {
    Tracker tracker(Options(1));
    tracker.Scalar(2, "loss", 1);
  }
  const std::string page = ReportOfRun(folder_, "en");
  EXPECT_NE(page.find("duration 2"), std::string::npos) << page.substr(page.find("duration"), 40);
  EXPECT_NE(page.find("resumed behind step 1"), std::string::npos);
}

TEST_F(RunReportTest, PicturesThatAreGoneOrLieElsewhereAreNamed) {
  {
    Tracker tracker(Options());
    tracker.Image(1, "a", {1, 1, 1, {9}});
  }
  const std::string metrics = folder_ + "/metrics.jsonl";
  const std::string text = ReadFile(metrics);
  const std::regex file("media/[0-9a-f]+\\.png");
  for (const char* other : {"media/gone.png", "../../../../etc/passwd", "/etc/passwd", "metrics.jsonl"}) {
    WriteFileAtomic(metrics, std::regex_replace(text, file, other));
    const std::string page = ReportOfRun(folder_, "en");
    EXPECT_NE(page.find("the file is gone"), std::string::npos) << other;
    EXPECT_EQ(page.find("<img"), std::string::npos) << other;
  }
}

TEST_F(RunReportTest, WithoutMetricsItSaysSo) {
  try {
    ReportOfRun(folder_, "en");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_NE(std::string(error.what()).find("metrics.jsonl"), std::string::npos);
  }
}

TEST_F(RunReportTest, DrawsSeveralRunsInOnePicture) {
  {
    Tracker tracker(Options());
    for (int64_t step = 1; step <= 3; ++step) tracker.Scalar(step, "valid/loss", 6.0 / static_cast<double>(step));
    tracker.Finish(3, "done", Json::object());
  }
  const std::string picture = DrawRuns({folder_, folder_ + "/"}, {"valid/loss"}, "损失 <b>", true);
  EXPECT_GE(Count(picture, "诗 &amp; &lt;run&gt;"), 2u) << "a line each";
  EXPECT_EQ(picture, DrawRuns({folder_, folder_}, {"valid/loss"}, "损失 <b>", true)) << "whatever ends its folder";
  EXPECT_EQ(picture.find("<b>"), std::string::npos);
  EXPECT_THROW(DrawRuns({folder_}, {"train/loss"}, "", false), Error) << "nobody told of it";
  EXPECT_THROW(DrawRuns({folder_ + "/none"}, {"valid/loss"}, "", false), Error);
}

}  // namespace
}  // namespace atelier::track
