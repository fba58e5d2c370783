#include "track/tracking.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "track/event_file.h"
#include "track/metrics_file.h"

namespace atelier::track {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class TrackingTest : public testing::Test {
 protected:
  TrackingTest() {
    folder_ = Cat(testing::TempDir(), "/", ::getpid(), "_tracking");
    std::filesystem::remove_all(folder_);
  }
  ~TrackingTest() override { std::filesystem::remove_all(folder_); }

  TrackerOptions Options(std::optional<int64_t> resume = {}) {
    TrackerOptions options;
    options.run.folder = folder_;
    options.run.config = Json{{"model", {{"layers", 2}, {"name", "诗"}}}, {"seed", 7}};
    options.run.versions = Json{{"atelier", "0.1.0"}};
    options.resume = resume;
    options.clock = [this] {
      const double now = time_ += 0.5;
      if (hurry_) std::this_thread::yield();
      return now;
    };
    return options;
  }
  std::string Metrics() const { return folder_ + "/metrics.jsonl"; }
  std::vector<MetricRow> Rows() const {
    std::vector<MetricRow> rows;
    cut_ = ReadMetrics(Metrics(), [&](const MetricRow& row, std::string_view) { rows.push_back(row); });
    return rows;
  }
  Code CodeOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      message_ = error.what();
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return Code::kInternal;
  }
  std::vector<std::string> EventFiles() const {
    std::vector<std::string> out;
    for (const std::string& name : ListFolder(folder_)) {
      if (name.starts_with("events.out.tfevents.")) out.push_back(name);
    }
    return out;
  }

  std::string folder_, message_;
  double time_ = 1'790'000'000;
  bool hurry_ = false;
  mutable bool cut_ = false;
};

data::Picture Grey(uint32_t side, uint8_t value) {
  return {side, side, 1, std::vector<uint8_t>(size_t{side} * side, value)};
}

TEST(Crc32c, EqualsTheVectorsOfRfc3720) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c(""), 0u);
  // (crc >> 15 | crc << 17) + 0xa282ead8, by hand.
  EXPECT_EQ(MaskedCrc32c("123456789"), static_cast<uint32_t>(0x2507c60d + 0xa282ead8));
}

TEST_F(TrackingTest, WhatWasToldIsReadAgain) {
  {
    Tracker tracker(Options());
    tracker.Scalars(1, {{"train/loss", 1.25}, {"rate", 3e-4}});
    tracker.Scalars(2, {{"train/loss", kNaN}, {"a", kInfinity}, {"b", -kInfinity}, {"第三", 0.1}});
    tracker.Text(2, "samples/春", "床前明月光，\n疑是地上霜。🌙\"\\\t\xff");
    tracker.Image(2, "digits", Grey(4, 200));
    tracker.Histogram(3, "weights", std::vector<float>{1, 2, 2, 3, NAN});
    tracker.Finish(3, "done", Json{{"best", 1.25}});
  }
  const std::vector<MetricRow> rows = Rows();
  EXPECT_FALSE(cut_);
  ASSERT_EQ(rows.size(), 7u);
  EXPECT_EQ(rows[0].kind, RowKind::kRun);
  EXPECT_EQ(rows[0].config["model"]["name"], "诗");
  EXPECT_EQ(rows[0].versions["atelier"], "0.1.0");
  EXPECT_EQ(rows[1].step, 1);
  EXPECT_EQ(rows[1].time, 1'790'000'001.0);
  EXPECT_EQ(rows[1].values, (std::vector<std::pair<std::string, double>>{{"train/loss", 1.25}, {"rate", 3e-4}}));
  ASSERT_EQ(rows[2].values.size(), 4u);
  EXPECT_TRUE(std::isnan(rows[2].values[0].second));
  EXPECT_EQ(rows[2].values[1].second, kInfinity);
  EXPECT_EQ(rows[2].values[2].second, -kInfinity);
  EXPECT_EQ(rows[2].values[3], std::pair(std::string("第三"), 0.1));
  EXPECT_EQ(rows[3].text, "床前明月光，\n疑是地上霜。🌙\"\\\t\uFFFD");
  EXPECT_EQ(rows[4].width, 4u);
  EXPECT_EQ(data::DecodePicture(ReadFile(Cat(folder_, "/", rows[4].file))), Grey(4, 200));
  EXPECT_EQ(rows[5].histogram.count, 4u);
  EXPECT_EQ(rows[5].histogram.not_finite, 1u);
  EXPECT_EQ(rows[6].status, "done");
  EXPECT_EQ(rows[6].summary["best"], 1.25);
  // JSON has no NaN: every line must be read by any parser.
  EXPECT_NE(ReadFile(Metrics()).find(R"("train/loss":"NaN","a":"Infinity","b":"-Infinity")"), std::string::npos);
  EXPECT_EQ(EventFiles().size(), 1u);
}

TEST_F(TrackingTest, TheHeaderNamesNoMachine) {
  Tracker tracker(Options());
  char host[256] = "";
  ASSERT_EQ(::gethostname(host, sizeof(host) - 1), 0);
  EXPECT_EQ(ReadFile(Metrics()).find(Cat("\"", host)), std::string::npos);
}

TEST_F(TrackingTest, ANewRunDoesNotOverwriteAnOldOne) {
  { Tracker tracker(Options()); }
  const std::string before = ReadFile(Metrics());
  EXPECT_EQ(CodeOf([&] { Tracker second(Options()); }), Code::kConflict);
  EXPECT_EQ(ReadFile(Metrics()), before);
}

TEST_F(TrackingTest, TwoProcessesCannotTrackOneRun) {
  Tracker tracker(Options());
  tracker.Scalar(5, "loss", 1);
  const std::string before = ReadFile(Metrics());
  EXPECT_EQ(CodeOf([&] { Tracker second(Options(3)); }), Code::kConflict);
  EXPECT_EQ(ReadFile(Metrics()), before);
}

TEST_F(TrackingTest, AResumedRunSupersedesLaterSteps) {
  {
    Tracker tracker(Options());
    for (int64_t step = 1; step <= 10; ++step) tracker.Scalar(step, "loss", static_cast<double>(step));
    tracker.Image(4, "a", Grey(4, 1));
    tracker.Image(8, "a", Grey(4, 2));  // only this step shows it
    tracker.Image(9, "a", Grey(4, 1));
    tracker.Finish(10, "stopped");
  }
  const std::string gone = Rows()[12].file;
  {
    std::string bytes = ReadFile(Metrics());
    WriteFileAtomic(Metrics(), bytes + R"({"step":11,"time":17900)");  // half a row of a process that died
  }
  ASSERT_TRUE(FileExists(Cat(folder_, "/", gone)));
  {
    TrackerOptions options = Options(6);
    options.run.config["seed"] = 8;
    Tracker tracker(std::move(options));
    tracker.Scalar(7, "loss", 70);
  }
  const std::vector<MetricRow> rows = Rows();
  EXPECT_FALSE(cut_);
  std::vector<double> losses;
  for (const MetricRow& row : rows) {
    if (row.kind == RowKind::kScalars) losses.push_back(row.values[0].second);
    EXPECT_NE(row.kind, RowKind::kFinish);
  }
  EXPECT_EQ(losses, (std::vector<double>{1, 2, 3, 4, 5, 6, 70}));
  ASSERT_EQ(rows.size(), 10u);
  EXPECT_EQ(rows[7].kind, RowKind::kImage);
  EXPECT_TRUE(FileExists(Cat(folder_, "/", rows[7].file)));  // superseded at step 9, still shown at step 4
  EXPECT_FALSE(FileExists(Cat(folder_, "/", gone)));
  EXPECT_EQ(rows[8].kind, RowKind::kResume);
  EXPECT_EQ(rows[8].step, 6);
  EXPECT_EQ(rows[8].config["seed"], 8);
  EXPECT_TRUE(rows[8].versions.empty());  // as they were
  const std::vector<std::string> files = EventFiles();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].substr(0, 30), "events.out.tfevents.1790000000");
}

TEST_F(TrackingTest, EventFilesOfOneSecondComeInTheirOrder) {
  { Tracker tracker(Options()); }
  for (int64_t i = 0; i < 3; ++i) {
    time_ = 1'790'000'000;  // a clock that stands still, or goes back
    Tracker tracker(Options(i));
  }
  std::vector<std::string> stamps;
  for (const std::string& name : EventFiles()) stamps.push_back(name.substr(20, 10));
  EXPECT_EQ(stamps, (std::vector<std::string>{"1790000000", "1790000001", "1790000002", "1790000003"}));
}

TEST_F(TrackingTest, AResumedRunTakesItsEndBack) {
  {
    Tracker tracker(Options());
    tracker.Scalar(6, "loss", 1);
    tracker.Finish(6, "stopped");
  }
  Tracker tracker(Options(6));
  const std::vector<MetricRow> rows = Rows();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[2].kind, RowKind::kResume);
}

TEST_F(TrackingTest, HalfARowAtTheEndIsPassedOver) {
  { Tracker tracker(Options()); }
  WriteFileAtomic(Metrics(), ReadFile(Metrics()) + R"({"step":1,"time")");
  EXPECT_EQ(Rows().size(), 1u);
  EXPECT_TRUE(cut_);
}

TEST_F(TrackingTest, AFileThatIsThereIsNotCreatedAgain) {
  MakeFolders(folder_);
  const std::string path = folder_ + "/x";
  {
    AppendFile file = AppendFile::Create(path, "first");
    file.Append(",");
  }
  EXPECT_EQ(CodeOf([&] { AppendFile::Create(path, "second"); }), Code::kConflict);
  EXPECT_EQ(ReadFile(path), "first,");
  EXPECT_EQ(ListFolder(folder_).size(), 1u);
}

TEST_F(TrackingTest, AResumedRunWithoutMetricsBeginsThem) {
  Tracker tracker(Options(5));
  EXPECT_EQ(Rows().size(), 2u);
}

TEST_F(TrackingTest, ABrokenFileIsNotResumed) {
  MakeFolders(folder_);
  WriteFileAtomic(Metrics(),
                  "{\"format\":1,\"kind\":\"run\",\"step\":0,\"time\":1,\"config\":{},\"versions\":{}}\nnot json\n");
  const std::string before = ReadFile(Metrics());
  EXPECT_EQ(CodeOf([&] { Tracker tracker(Options(5)); }), Code::kCorrupt);
  EXPECT_NE(message_.find("metrics.jsonl:2"), std::string::npos) << message_;
  EXPECT_EQ(ReadFile(Metrics()), before);
  EXPECT_EQ(ListFolder(folder_).size(), 1u);  // nothing half made beside it
}

// A limit on the size of files stands in for a full disk: writes beyond it come back short, then fail.
class FileLimit {
 public:
  explicit FileLimit(uint64_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(TrackingTest, AFullDiskIsOneErrorAndLeavesWholeRows) {
  Tracker tracker(Options());
  tracker.Scalar(1, "loss", 1);
  const std::string metrics = ReadFile(Metrics()), events = ReadFile(Cat(folder_, "/", EventFiles()[0]));
  {
    FileLimit full(metrics.size() + 20);
    EXPECT_EQ(CodeOf([&] { tracker.Text(2, "sample", std::string(3000, 'x')); }), Code::kResourceExhausted);
    EXPECT_NE(message_.find("metrics.jsonl"), std::string::npos) << message_;
    EXPECT_EQ(ReadFile(Metrics()), metrics);
    EXPECT_EQ(ReadFile(Cat(folder_, "/", EventFiles()[0])), events);
  }
  tracker.Scalar(3, "loss", 3);  // there is room again, and training went on
  const std::vector<MetricRow> rows = Rows();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[2].step, 3);
}

TEST_F(TrackingTest, AFullDiskOfOneSinkLeavesTheOthersTheEvent) {
  Tracker tracker(Options());
  const std::string events = Cat(folder_, "/", EventFiles()[0]);
  {
    ASSERT_GT(FileSize(events), FileSize(Metrics()));  // so that the limit meets TensorBoard's file, told last
    FileLimit full(FileSize(events) + 10);
    EXPECT_EQ(CodeOf([&] { tracker.Scalar(1, "loss", 1); }), Code::kResourceExhausted);
    EXPECT_NE(message_.find("tfevents"), std::string::npos) << message_;
    EXPECT_EQ(Rows().back().step, 1);
  }
  while (FileSize(Metrics()) < FileSize(events) + 100) tracker.Scalar(2, "loss", 1);  // its rows are longer
  const uint64_t before = FileSize(events);
  FileLimit full(FileSize(Metrics()) + 10);
  EXPECT_EQ(CodeOf([&] { tracker.Scalar(3, "loss", 1); }), Code::kResourceExhausted);
  EXPECT_NE(message_.find("metrics.jsonl"), std::string::npos) << message_;
  EXPECT_GT(FileSize(events), before);
}

TEST_F(TrackingTest, AFullDiskWhileResumingChangesNothing) {
  {
    Tracker tracker(Options());
    for (int64_t step = 1; step <= 100; ++step) tracker.Scalar(step, "loss", 1);
  }
  const std::string before = ReadFile(Metrics());
  {
    FileLimit full(500);
    EXPECT_EQ(CodeOf([&] { Tracker tracker(Options(90)); }), Code::kResourceExhausted);
  }
  EXPECT_EQ(ReadFile(Metrics()), before);
  Tracker tracker(Options(90));
  EXPECT_EQ(Rows().size(), 92u);
}

TEST_F(TrackingTest, AProcessKilledWhileItTellsLeavesWholeRowsAndCanGoOn) {
  for (int round = 0; round < 5; ++round) {
    const std::optional<int64_t> resume = round == 0 ? std::nullopt : std::optional<int64_t>(3);
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Tracker tracker(Options(resume));
      if (::write(ready[1], "x", 1) != 1) ::_exit(1);
      for (int64_t step = resume.value_or(0) + 1;; ++step) tracker.Scalar(step, "loss", 1);
    }
    char byte;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    ::usleep(20'000);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    int64_t expected = 1;
    for (const MetricRow& row : Rows()) {
      if (row.kind != RowKind::kScalars) continue;
      EXPECT_EQ(row.step, expected++);
    }
    EXPECT_GT(expected, 3);
  }
}

TEST_F(TrackingTest, ThreadsDoNotMixTheirRows) {
  hurry_ = true;
  {
    Tracker tracker(Options());
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&tracker, t] {
        for (int64_t step = 0; step < 200; ++step) tracker.Scalar(step, Cat("t", t), static_cast<double>(step));
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  const std::vector<MetricRow> rows = Rows();
  ASSERT_EQ(rows.size(), 801u);
  for (size_t i = 1; i < rows.size(); ++i) EXPECT_GT(rows[i].time, rows[i - 1].time) << i;  // told one after the other
}

TEST_F(TrackingTest, RefusesWhatCannotBeShown) {
  Tracker tracker(Options());
  EXPECT_EQ(CodeOf([&] { tracker.Scalar(-1, "loss", 1); }), Code::kInvalidInput);
  EXPECT_EQ(CodeOf([&] { tracker.Scalar(1, "", 1); }), Code::kInvalidInput);
  EXPECT_EQ(CodeOf([&] { tracker.Scalar(1, "a\nb", 1); }), Code::kInvalidInput);
  EXPECT_EQ(CodeOf([&] { tracker.Scalar(1, std::string(201, 'x'), 1); }), Code::kInvalidInput);
  EXPECT_EQ(CodeOf([&] { tracker.Text(1, "\xff", ""); }), Code::kInvalidInput);
  EXPECT_EQ(CodeOf([&] { tracker.Image(1, "a", {3, 3, 1, {1, 2}}); }), Code::kInvalidInput);
  EXPECT_EQ(CodeOf([&] { tracker.Finish(1, "gut"); }), Code::kInvalidInput);
  EXPECT_EQ(Rows().size(), 1u);
  TrackerOptions options = Options();
  options.run.folder += "_other";
  options.sinks = {"metrics", "wandb"};
  EXPECT_EQ(CodeOf([&] { Tracker other(options); }), Code::kUsage);
  std::filesystem::remove_all(options.run.folder);
  tracker.Text(1, "long", std::string(300 << 10, 'x'));
  EXPECT_LT(Rows().back().text.size(), 270u << 10);
  EXPECT_NE(Rows().back().text.find("bytes more"), std::string::npos);
}

TEST(Histogram, CountsEveryValueOnceWithinItsEdges) {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) values.push_back(static_cast<float>(i * 37 % 1000) / 10.0f);
  values.push_back(INFINITY);
  const HistogramData h = MakeHistogram(values, 30);
  ASSERT_EQ(h.counts.size(), 30u);
  ASSERT_EQ(h.edges.size(), 31u);
  EXPECT_EQ(h.count, 1000u);
  EXPECT_EQ(h.not_finite, 1u);
  EXPECT_EQ(h.min, 0);
  EXPECT_EQ(h.edges.back(), h.max);
  EXPECT_NEAR(h.sum, 49950, 0.01);
  for (size_t i = 0; i < h.counts.size(); ++i) {
    uint64_t expected = 0;
    for (const float value : values) {
      const bool last = i + 1 == h.counts.size();
      if (value >= h.edges[i] && (value < h.edges[i + 1] || (last && value == h.edges[i + 1]))) ++expected;
    }
    EXPECT_EQ(h.counts[i], expected) << i;
  }
}

TEST(Histogram, OfNothingAndOfOneValue) {
  const HistogramData none = MakeHistogram({});
  EXPECT_EQ(none.count, 0u);
  EXPECT_EQ(none.counts, std::vector<uint64_t>{0});
  const std::vector<float> same(5, -2.5f);
  const HistogramData one = MakeHistogram(same);
  EXPECT_EQ(one.counts, std::vector<uint64_t>{5});
  EXPECT_EQ(one.edges, (std::vector<double>{-2.5, -2.5}));
  const std::vector<float> wide = {-3e38f, 3e38f};  // their squares are beyond float, not beyond double
  EXPECT_TRUE(std::isfinite(MakeHistogram(wide).sum_squares));
}

TEST(MetricRows, WhatIsNoneIsRefusedByLine) {
  const auto code = [](std::string_view line) {
    try {
      ParseMetricRow(line, "x:3");
    } catch (const Error& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("x:3")) << error.what();
      return error.code();
    }
    ADD_FAILURE() << "taken: " << line;
    return Code::kInternal;
  };
  EXPECT_EQ(code(""), Code::kCorrupt);
  EXPECT_EQ(code("[]"), Code::kCorrupt);
  EXPECT_EQ(code("{}"), Code::kCorrupt);
  EXPECT_EQ(code(R"({"kind":"video","step":1,"time":1})"), Code::kUnsupported);
  EXPECT_EQ(code(R"({"kind":"run","step":0,"time":1,"format":2,"config":{},"versions":{}})"), Code::kUnsupported);
  EXPECT_EQ(code(R"({"kind":"scalars","step":-1,"time":1,"values":{}})"), Code::kCorrupt);
  EXPECT_EQ(code(R"({"kind":"scalars","step":1.5,"time":1,"values":{}})"), Code::kCorrupt);
  EXPECT_EQ(code(R"({"kind":"scalars","step":1,"time":"NaN","values":{}})"), Code::kCorrupt);
  EXPECT_EQ(code(R"({"kind":"scalars","step":1,"time":1,"values":{"a":"1"}})"), Code::kCorrupt);
  EXPECT_EQ(code(R"({"kind":"scalars","step":1,"time":1,"values":{"a":null}})"), Code::kCorrupt);
  EXPECT_EQ(code(R"({"kind":"scalars","step":1,"time":1})"), Code::kCorrupt);
  EXPECT_EQ(code(R"({"kind":"image","step":1,"time":1,"name":"a","file":"b","width":0,"height":1})"), Code::kCorrupt);
  EXPECT_EQ(
      code(R"({"kind":"histogram","step":1,"time":1,"name":"a","min":0,"max":1,"sum":1,"sum_squares":1,"count":1,)"
           R"("not_finite":0,"edges":[0],"counts":[1]})"),
      Code::kCorrupt);
  EXPECT_EQ(
      code(R"({"kind":"histogram","step":1,"time":1,"name":"a","min":0,"max":1,"sum":1,"sum_squares":1,"count":1,)"
           R"("not_finite":0,"edges":[1,0],"counts":[1]})"),
      Code::kCorrupt);
  EXPECT_EQ(code(std::string(17 << 20, ' ')), Code::kCorrupt);
}

}  // namespace
}  // namespace atelier::track
