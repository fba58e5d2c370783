#include "evaluate/reference_metrics.h"

#include "base/error.h"
#include "base/str.h"
#include "evaluate/bert_score.h"
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
class EncoderRequestOf : public MetricRequest {
 public:
  void Declare(MetricSettings& settings) override { options_.Declare(settings); }
  bool wants_embedder() const override { return true; }
  void Use(std::shared_ptr<artefact::Embedder> embedder) override { embedder_ = std::move(embedder); }
  std::unique_ptr<ReferenceMetric> Make() const override {
    if (embedder_ == nullptr) throw Error(Code::kUsage, "this metric reads by a model, and has been given none");
    return std::make_unique<Metric>(options_, embedder_);
  }

 private:
  Options options_;
  std::shared_ptr<artefact::Embedder> embedder_;
};

template <typename Options, typename Metric>
std::unique_ptr<MetricRequest> Request() {
  return std::make_unique<RequestOf<Options, Metric>>();
}

template <typename Options, typename Metric>
std::unique_ptr<MetricRequest> EncoderRequest() {
  return std::make_unique<EncoderRequestOf<Options, Metric>>();
}

}  // namespace

std::span<const ReferenceMetricEntry> ReferenceMetrics() {
  static const std::vector<ReferenceMetricEntry> list = {
      {"bleu", &Request<BleuOptions, Bleu>},
      {"chrf", &Request<ChrfOptions, Chrf>},
      {"ter", &Request<TerOptions, Ter>},
      {"rouge", &Request<RougeOptions, Rouge>},
      {"meteor", &Request<MeteorOptions, Meteor>},
      {"exact-match", &Request<ExactMatchOptions, ExactMatch>},
      {"bertscore", &EncoderRequest<BertScoreOptions, BertScore>},
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
