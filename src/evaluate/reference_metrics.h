// The visible list of metrics that hold texts against references.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "artefact/embedder.h"
#include "evaluate/reference_metric.h"

namespace atelier::evaluate {

// A metric to be: its options, which say what they are, and then the metric.
class MetricRequest {
 public:
  virtual ~MetricRequest() = default;
  virtual void Declare(MetricSettings& settings) = 0;
  // A metric by meaning wants an encoder before it is made.
  virtual bool wants_embedder() const { return false; }
  virtual void Use(std::shared_ptr<artefact::Embedder> embedder) { (void)embedder; }
  virtual std::unique_ptr<ReferenceMetric> Make() const = 0;
};

struct ReferenceMetricEntry {
  std::string_view name;  // "bleu": the command's, and a suite's
  std::unique_ptr<MetricRequest> (*request)();
};

std::span<const ReferenceMetricEntry> ReferenceMetrics();
// Throws Error(kUsage) that names what there is.
std::unique_ptr<MetricRequest> RequestMetric(std::string_view name);

}  // namespace atelier::evaluate
