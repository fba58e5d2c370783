#include "track/tracking.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "text/unicode.h"
#include "track/metrics_file.h"
#include "track/tensorboard.h"

namespace atelier::track {
namespace {

constexpr size_t kMostName = 200, kMostText = 256u << 10;

double SystemTime() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(since).count()) / 1e6;
}

void MustBeName(const std::string& name) {
  const auto refuse = [&](std::string_view why) {
    throw Error(Code::kInvalidInput, Cat("tracking: the name ", Quote(name), " ", why));
  };
  if (name.empty()) refuse("is empty");
  if (name.size() > kMostName) refuse(Cat("is longer than ", kMostName, " bytes"));
  if (text::ForTerminal(name) != name) refuse("has characters that cannot be printed");
}

}  // namespace

HistogramData MakeHistogram(std::span<const float> values, int buckets) {
  HistogramData out;
  bool first = true;
  for (const float value : values) {
    if (!std::isfinite(value)) {
      ++out.not_finite;
      continue;
    }
    const double x = value;
    out.min = first ? x : std::min(out.min, x);
    out.max = first ? x : std::max(out.max, x);
    first = false;
    ++out.count;
    out.sum += x;
    out.sum_squares += x * x;
  }
  const size_t wanted = out.min < out.max ? static_cast<size_t>(std::clamp(buckets, 1, 1000)) : 1;
  const double width = (out.max - out.min) / static_cast<double>(wanted);
  for (size_t i = 0; i < wanted; ++i) out.edges.push_back(out.min + width * static_cast<double>(i));
  out.edges.push_back(out.max);
  out.counts.assign(wanted, 0);
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    // By the edges themselves, so that the counts are true of the edges that are written.
    const auto above = std::upper_bound(out.edges.begin(), out.edges.end() - 1, static_cast<double>(value));
    ++out.counts[static_cast<size_t>(above - out.edges.begin()) - 1];
  }
  return out;
}

const std::vector<SinkKind>& AllSinks() {
  static const std::vector<SinkKind> sinks = {
      {"metrics", OpenMetrics},
      {"tensorboard", OpenTensorBoard},
  };
  return sinks;
}

Tracker::Tracker(TrackerOptions options) : options_(std::move(options)) {
  if (!options_.clock) options_.clock = SystemTime;
  MakeFolders(options_.run.folder);
  const double time = options_.clock();
  for (const std::string& wanted : options_.sinks) {
    std::vector<std::string> known;
    for (const SinkKind& kind : AllSinks()) known.emplace_back(kind.name);
    const auto found = std::find(known.begin(), known.end(), wanted);
    if (found == known.end()) {
      throw Error(Code::kUsage, Cat("tracking: there is no sink ", Quote(wanted)), Cat("known: ", Join(known, ", ")));
    }
    sinks_.push_back(AllSinks()[static_cast<size_t>(found - known.begin())].open(options_.run, time, options_.resume));
  }
}

Tracker::~Tracker() = default;

void Tracker::Tell(int64_t step, const std::string* name, const std::function<void(Sink&, double)>& event) {
  if (step < 0) throw Error(Code::kInvalidInput, Cat("tracking: the step ", step, " is negative"));
  if (name != nullptr) MustBeName(*name);
  const std::lock_guard<std::mutex> lock(mutex_);
  const double time = options_.clock();
  std::optional<Error> failed;  // the first; the other sinks get the event all the same
  for (const auto& sink : sinks_) {
    try {
      event(*sink, time);
    } catch (const Error& error) {
      if (!failed) failed = error;
    }
  }
  if (failed) throw *failed;
}

void Tracker::Scalars(int64_t step, const std::vector<std::pair<std::string, double>>& values) {
  if (values.empty()) return;
  for (const auto& [name, value] : values) MustBeName(name);
  Tell(step, nullptr, [&](Sink& sink, double time) { sink.Scalars(time, step, values); });
}

void Tracker::Text(int64_t step, const std::string& name, std::string_view text) {
  std::string clean = text::SanitizeUtf8(text.substr(0, kMostText));
  if (text.size() > kMostText) clean += Cat("… (", text.size() - kMostText, " bytes more)");
  Tell(step, &name, [&](Sink& sink, double time) { sink.Text(time, step, name, clean); });
}

void Tracker::Image(int64_t step, const std::string& name, const data::Picture& picture) {
  if (picture.width == 0 || picture.height == 0 || picture.pixels.size() != picture.stride() * picture.height) {
    throw Error(Code::kInvalidInput, Cat("tracking: the picture ", Quote(name), " has not width x height pixels"));
  }
  const PngImage image = {data::EncodePng(picture), picture.width, picture.height, picture.channels};
  Tell(step, &name, [&](Sink& sink, double time) { sink.Image(time, step, name, image); });
}

void Tracker::Histogram(int64_t step, const std::string& name, std::span<const float> values) {
  const HistogramData histogram = MakeHistogram(values);
  Tell(step, &name, [&](Sink& sink, double time) { sink.Histogram(time, step, name, histogram); });
}

void Tracker::Finish(int64_t step, const std::string& status, const Json& summary) {
  if (status != "done" && status != "stopped" && status != "failed") {
    throw Error(Code::kInvalidInput, Cat("tracking: the status ", Quote(status), " is none"),
                "known: done, stopped, failed");
  }
  Tell(step, nullptr, [&](Sink& sink, double time) { sink.Finish(time, step, status, summary); });
}

}  // namespace atelier::track
