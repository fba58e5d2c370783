// The report of a metric that holds texts against references: scores with their intervals, line scores against length
// and as a distribution, and the lines where they are worst and best, with what differs.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "evaluate/reference_metric.h"
#include "report/report.h"

namespace atelier::app {

struct TextsResult {
  const evaluate::ReferenceMetric* metric = nullptr;
  std::span<const std::string_view> hypotheses;
  std::span<const std::vector<std::string_view>> references;  // [reference][line]
  const evaluate::LineCounts* counts = nullptr;
  std::span<const std::string_view> baseline;             // empty without one
  const evaluate::LineCounts* baseline_counts = nullptr;  // null without one
  const Json* body = nullptr;                             // of the command: scores, intervals, tests, signature
};
// Line scores are those of the metric's first name.
report::Report TextsReport(const TextsResult& result, bool chinese);

}  // namespace atelier::app
