#include "evaluate/reference_metrics.h"

#include "base/error.h"
#include "base/str.h"
#include "evaluate/bleu.h"
#include "evaluate/chrf.h"
#include "evaluate/exact_match.h"
#include "evaluate/meteor.h"
#include "evaluate/rouge.h"
#include "evaluate/ter.h"

namespace atelier::evaluate {
namespace {

template <typename Options, typename Metric>
class RequestOf : public MetricRequest {
 public:
  void Declare(MetricSettings& settings) override { options_.Declare(settings); }
  std::unique_ptr<ReferenceMetric> Make() const override { return std::make_unique<Metric>(options_); }

 private:
  Options options_;
};

template <typename Options, typename Metric>
std::unique_ptr<MetricRequest> Request() {
  return std::make_unique<RequestOf<Options, Metric>>();
}

}  // namespace

std::span<const ReferenceMetricEntry> ReferenceMetrics() {
  static const std::vector<ReferenceMetricEntry> list = {
      {"bleu", &Request<BleuOptions, Bleu>},       {"chrf", &Request<ChrfOptions, Chrf>},
      {"ter", &Request<TerOptions, Ter>},          {"rouge", &Request<RougeOptions, Rouge>},
      {"meteor", &Request<MeteorOptions, Meteor>}, {"exact-match", &Request<ExactMatchOptions, ExactMatch>},
  };
  return list;
}

std::unique_ptr<MetricRequest> RequestMetric(std::string_view name) {
  std::vector<std::string> known;
  for (const ReferenceMetricEntry& entry : ReferenceMetrics()) {
    if (entry.name == name) return entry.request();
    known.emplace_back(entry.name);
  }
  throw Error(Code::kUsage, Cat("there is no metric ", Quote(name)), Join(known, ", "));
}

}  // namespace atelier::evaluate
