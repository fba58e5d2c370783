// What a run of training tells of itself while it goes on: numbers, texts, pictures, histograms, by step.
//
// A Tracker hands every event to its sinks: metrics.jsonl, which the run's page and other tools are made from
// (docs/formats/metrics.md), and TensorBoard's event files. An event is in the files when the call returns. Calls may
// come from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "data/media/picture.h"

namespace atelier::track {

struct PngImage {
  std::string png;
  uint32_t width = 0, height = 0;
  int channels = 3;
};

// How `count` finite values are spread: bucket i holds those within [edges[i], edges[i + 1]), the last one its upper
// edge, too.
struct HistogramData {
  double min = 0, max = 0, sum = 0, sum_squares = 0;
  uint64_t count = 0, not_finite = 0;
  std::vector<double> edges;  // ascending, one more than counts
  std::vector<uint64_t> counts;
};
// At most `buckets` of equal width between the least and the greatest value. What is not finite is counted apart.
HistogramData MakeHistogram(std::span<const float> values, int buckets = 30);

struct TrackedRun {
  std::string folder;
  Json config = Json::object();    // the run's whole configuration
  Json versions = Json::object();  // program, LibTorch ...: nothing of the machine's name
};

// Gets a run's events in their order. A sink that fails throws; it gets the next event all the same.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void Scalars(double time, int64_t step, const std::vector<std::pair<std::string, double>>& values) = 0;
  virtual void Text(double time, int64_t step, const std::string& name, const std::string& text) = 0;
  virtual void Image(double time, int64_t step, const std::string& name, const PngImage& image) = 0;
  virtual void Histogram(double time, int64_t step, const std::string& name, const HistogramData& histogram) = 0;
  virtual void Finish(double time, int64_t step, const std::string& status, const Json& summary) = 0;
};

struct SinkKind {
  std::string_view name;
  // `resume`: the step whose state the run goes on from; what was told of later steps is superseded.
  std::unique_ptr<Sink> (*open)(const TrackedRun& run, double time, std::optional<int64_t> resume);
};
// "metrics", "tensorboard".
const std::vector<SinkKind>& AllSinks();

struct TrackerOptions {
  TrackedRun run;
  std::vector<std::string> sinks = {"metrics", "tensorboard"};
  std::optional<int64_t> resume = {};  // go on behind this step; without: a new run
  std::function<double()> clock = {};  // seconds since 1970; empty: the system's
};

class Tracker {
 public:
  // Makes the folder. Throws kConflict for a new run where one is tracked already, or where another process tracks it;
  // kUsage for an unknown sink. A resumed run whose metrics are gone begins new ones.
  explicit Tracker(TrackerOptions options);
  ~Tracker();

  // `step` is that of the state that was reached. Throws kInvalidInput for a negative step or a name that is empty,
  // longer than 200 bytes, or not printable; kResourceExhausted or kIo when a file cannot be written: the event is then
  // missing in that file, all before it is whole, and the caller decides whether to train on.
  void Scalar(int64_t step, const std::string& name, double value) { Scalars(step, {{name, value}}); }
  void Scalars(int64_t step, const std::vector<std::pair<std::string, double>>& values);  // NaN and infinities, too
  void Text(int64_t step, const std::string& name, std::string_view text);  // what is beyond 256 KiB is cut, and said
  void Image(int64_t step, const std::string& name, const data::Picture& picture);
  void Histogram(int64_t step, const std::string& name, std::span<const float> values);
  // The end. `status`: "done", "stopped" or "failed". A resumed run takes it back.
  void Finish(int64_t step, const std::string& status, const Json& summary = Json::object());

 private:
  void Tell(int64_t step, const std::string* name, const std::function<void(Sink&, double time)>& event);

  TrackerOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Sink>> sinks_;
};

}  // namespace atelier::track
