// metrics.jsonl: what a run told of itself, one JSON object a line (docs/formats/metrics.md). Writer and reader.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "track/tracking.h"

namespace atelier::track {

inline constexpr std::string_view kMetricsFile = "metrics.jsonl";

// A new run begins the file with a line of its configuration. A resumed one takes the rows of later steps out, with the
// pictures that only they show, in one atomic step, and says where it went on.
std::unique_ptr<Sink> OpenMetrics(const TrackedRun& run, double time, std::optional<int64_t> resume);

enum class RowKind { kRun, kResume, kScalars, kText, kImage, kHistogram, kFinish };

// One row; only what its kind has is set.
struct MetricRow {
  RowKind kind = RowKind::kScalars;
  double time = 0;
  int64_t step = 0;
  Json config = Json::object(), versions = Json::object();  // run; resume where they changed
  std::vector<std::pair<std::string, double>> values;       // scalars
  std::string name;                                         // text, image, histogram
  std::string text;
  std::string file;  // image: within the run's folder
  uint32_t width = 0, height = 0;
  HistogramData histogram;
  std::string status;  // finish
  Json summary = Json::object();
};

// `where` begins every message. Throws kCorrupt for what is no row, kUnsupported for a format or a kind of row that a
// later Atelier wrote.
MetricRow ParseMetricRow(std::string_view line, const std::string& where);

// Calls `fn` with every row and its line (without the end), from the header on. Bytes behind the last line's end are
// half a row of a process that died: they are passed over, and true is returned. Throws as ParseMetricRow, with file
// and line; kCorrupt where the header is missing; kNotFound.
bool ReadMetrics(const std::string& path, const std::function<void(const MetricRow& row, std::string_view line)>& fn);

}  // namespace atelier::track
