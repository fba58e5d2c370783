// How fast cleaning is: JSON lines in memory through a cleaning list into zstd shards in memory, one thread, several
// turns. `./dev bench data` runs it against a Python peer (tools/bench_clean.py).
//
//   data_clean_bench FILE.jsonl CLEAN.toml [TURNS [LEVEL]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "data/clean/cleaner.h"
#include "data/zstd_stream.h"

namespace atelier::data::clean {
namespace {

double ThreadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// What a dataset's writer does with its text (data/zstd_stream.h), into memory.
class ZstdSink : public BlockSink {
 public:
  explicit ZstdSink(int level) : frames_(level) {}

  void Append(std::string_view lines, size_t) override {
    const double started = ThreadSeconds();
    pending_ += lines;
    if (pending_.size() >= FrameCompressor::kFrame) Finish();
    seconds_ += ThreadSeconds() - started;
  }
  void Reject(const Rejected& rejected) override { rejects_ += rejected.line.size(); }
  void Finish() {
    bytes_ += frames_.Compress(pending_).size();
    pending_.clear();
  }
  double seconds() const { return seconds_; }
  size_t bytes() const { return bytes_; }

 private:
  FrameCompressor frames_;
  std::string pending_;
  size_t bytes_ = 0, rejects_ = 0;
  double seconds_ = 0;
};

int Main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "data_clean_bench FILE.jsonl CLEAN.toml [TURNS [LEVEL]]\n");
    return 2;
  }
  const std::string lines = ReadFile(argv[1], uint64_t{4} << 30), toml = ReadFile(argv[2]);
  const int turns = argc > 3 ? std::atoi(argv[3]) : 3, level = argc > 4 ? std::atoi(argv[4]) : 0;
  const BlockSource source = [&](const std::function<bool(std::string_view)>& use) {
    for (size_t at = 0; at < lines.size();) {
      size_t end = std::min(lines.size(), at + (1u << 20));
      if (end < lines.size()) end = lines.rfind('\n', end) + 1;
      if (end <= at) end = lines.find('\n', at) + 1;
      if (!use(std::string_view(lines).substr(at, end - at))) return;
      at = end;
    }
  };
  std::vector<double> speeds;
  for (int turn = 0; turn <= turns; ++turn) {  // the last one is profiled
    Cleaner cleaner = Cleaner::Parse(toml, argv[2]);
    ZstdSink sink(level);
    const bool profile = turn == turns;
    const double started = ThreadSeconds();
    const Report report = cleaner.Run(source, &sink, {.threads = 1, .profile = profile});
    sink.Finish();
    const double seconds = ThreadSeconds() - started;
    if (!profile) {
      speeds.push_back(static_cast<double>(lines.size()) / 1e6 / seconds);
      continue;
    }
    std::sort(speeds.begin(), speeds.end());
    std::printf(
        "{\"megabytes\":%.1f,\"records\":%llu,\"kept\":%llu,\"mb_per_s\":%.1f,\"best_mb_per_s\":%.1f,"
        "\"ratio\":%.3f,\"level\":%d,\"ns_per_byte\":{",
        static_cast<double>(lines.size()) / 1e6, static_cast<unsigned long long>(report.read),
        static_cast<unsigned long long>(report.kept), speeds[speeds.size() / 2], speeds.back(),
        static_cast<double>(report.bytes_out) / static_cast<double>(sink.bytes()), level);
    const double per = 1e9 / static_cast<double>(lines.size());
    std::printf("\"read\":%.3f", report.read_seconds * per);
    for (const OperationReport& one : report.operations)
      std::printf(",\"%s\":%.3f", one.name.c_str(), one.tally.seconds * per);
    std::printf(",\"write\":%.3f,\"compress\":%.3f}}\n", report.write_seconds * per, sink.seconds() * per);
  }
  return 0;
}

}  // namespace
}  // namespace atelier::data::clean

int main(int argc, char** argv) {
  try {
    return atelier::data::clean::Main(argc, argv);
  } catch (const atelier::Error& e) {
    std::fprintf(stderr, "%s\n", e.Line().c_str());
    return 1;
  }
}
