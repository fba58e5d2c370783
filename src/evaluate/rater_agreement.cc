#include "evaluate/rater_agreement.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/rng.h"
#include "evaluate/kappa.h"
#include "evaluate/krippendorff.h"
#include "evaluate/rank_correlation.h"

namespace atelier::evaluate {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

int32_t NearestPlace(double value, std::span<const double> scale) {
  size_t best = 0;
  for (size_t i = 1; i < scale.size(); ++i) {
    if (std::abs(scale[i] - value) < std::abs(scale[best] - value)) best = i;
  }
  return static_cast<int32_t>(best);
}

// Between two, over the items of `drawn` that both rated.
RaterMeasures Between(const RaterColumn& first, const RaterColumn& other, std::span<const double> scale,
                      std::span<const uint32_t> drawn) {
  std::vector<double> a, b;
  const size_t items = drawn.empty() ? first.size() : drawn.size();
  for (size_t i = 0; i < items; ++i) {
    const size_t item = drawn.empty() ? i : drawn[i];
    if (std::isnan(first[item]) || std::isnan(other[item])) continue;
    a.push_back(first[item]);
    b.push_back(other[item]);
  }
  RaterMeasures out{kUnknown, kUnknown, kUnknown, kUnknown, kUnknown, kUnknown};
  if (a.empty()) return out;
  Ratings ratings;
  ratings.raters = {"first", "other"};
  ratings.ordered = true;
  ratings.numbers.assign(scale.begin(), scale.end());
  ratings.categories.resize(scale.size());
  double equal = 0, difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ratings.values.push_back(NearestPlace(a[i], scale));
    ratings.values.push_back(NearestPlace(b[i], scale));
    equal += ratings.at(i, 0) == ratings.at(i, 1);
    difference += a[i] - b[i];
  }
  const auto count = static_cast<double>(a.size());
  out.kappa = CohenKappa(CountPairs(ratings, 0, 1), scale.size(), KappaWeights::kQuadratic);
  out.spearman = SpearmanCorrelation(a, b);
  out.tau = KendallTauB(a, b);
  out.alpha = KrippendorffAlpha(ratings, RatingLevel::kOrdinal);
  out.exact = equal / count;
  out.difference = difference / count;
  return out;
}

class Means {
 public:
  void Add(RaterMeasures one, bool sizes) {
    for (size_t i = 0; i < RaterMeasures::kCount; ++i) {
      double value = At(&one, i);
      if (std::isnan(value)) continue;
      if (sizes && i + 1 == RaterMeasures::kCount) value = std::abs(value);
      At(&sums_, i) += value;
      ++counts_[i];
    }
  }
  RaterMeasures Get() {
    RaterMeasures out = sums_;
    for (size_t i = 0; i < RaterMeasures::kCount; ++i) {
      At(&out, i) = counts_[i] == 0 ? kUnknown : At(&out, i) / static_cast<double>(counts_[i]);
    }
    return out;
  }

 private:
  RaterMeasures sums_;
  size_t counts_[RaterMeasures::kCount] = {};
};

double MeanOf(std::span<const RaterColumn> raters, size_t item) {
  double sum = 0, count = 0;
  for (const RaterColumn& rater : raters) {
    if (std::isnan(rater[item])) continue;
    sum += rater[item];
    ++count;
  }
  return count == 0 ? kUnknown : sum / count;
}

struct Order {
  size_t pairs = 0;
  double right = 0;
  // `people` and `judge`: above 0 where the first is better.
  void Add(double people, double judge) {
    if (std::isnan(people) || std::isnan(judge) || people == 0) return;
    ++pairs;
    right += judge == 0 ? 0.5 : (judge > 0) == (people > 0) ? 1 : 0;
  }
  PairAccuracy Get() const { return {pairs, pairs == 0 ? kUnknown : right / static_cast<double>(pairs)}; }
};

}  // namespace

std::span<const char* const> RaterMeasureNames() {
  static constexpr const char* kNames[RaterMeasures::kCount] = {
      "kappa", "spearman", "kendall_tau_b", "krippendorff_alpha", "exact", "difference"};
  return kNames;
}

double& At(RaterMeasures* measures, size_t which) {
  double* const all[] = {&measures->kappa, &measures->spearman, &measures->tau,
                         &measures->alpha, &measures->exact,    &measures->difference};
  return *all[which];
}

RaterMeasures Agreement(const RaterColumn& first, std::span<const RaterColumn> others, std::span<const double> scale,
                        std::span<const uint32_t> drawn) {
  Means means;
  for (const RaterColumn& other : others) means.Add(Between(first, other, scale, drawn), false);
  return means.Get();
}

RaterMeasures AgreementAmong(std::span<const RaterColumn> raters, std::span<const double> scale) {
  Means means;
  for (size_t a = 0; a < raters.size(); ++a) {
    for (size_t b = a + 1; b < raters.size(); ++b) means.Add(Between(raters[a], raters[b], scale, {}), true);
  }
  return means.Get();
}

std::vector<std::optional<Interval>> AgreementIntervals(const RaterColumn& first, std::span<const RaterColumn> others,
                                                        std::span<const double> scale, int64_t samples, uint64_t seed) {
  std::vector<std::vector<double>> draws(RaterMeasures::kCount);
  std::vector<uint32_t> drawn(first.size());
  Rng rng(seed, "raters");
  for (int64_t sample = 0; sample < samples && !drawn.empty(); ++sample) {
    for (uint32_t& item : drawn) item = static_cast<uint32_t>(rng.Below(first.size()));
    RaterMeasures measures = Agreement(first, others, scale, drawn);
    for (size_t i = 0; i < draws.size(); ++i) {
      if (!std::isnan(At(&measures, i))) draws[i].push_back(At(&measures, i));
    }
  }
  std::vector<std::optional<Interval>> out;
  for (std::vector<double>& values : draws) {
    const bool enough = !values.empty() && static_cast<int64_t>(values.size()) * 10 >= samples * 9;
    out.push_back(enough ? std::optional(IntervalOf(std::move(values))) : std::nullopt);
  }
  return out;
}

PairAccuracy OrderAccuracy(const RaterColumn& first, std::span<const RaterColumn> others,
                           std::span<const std::string> groups) {
  std::map<std::string, std::vector<size_t>> by_group;
  for (size_t i = 0; i < groups.size(); ++i) by_group[groups[i]].push_back(i);
  Order order;
  for (const auto& [group, items] : by_group) {
    for (size_t x = 0; x < items.size(); ++x) {
      for (size_t y = x + 1; y < items.size(); ++y) {
        order.Add(MeanOf(others, items[x]) - MeanOf(others, items[y]), first[items[x]] - first[items[y]]);
      }
    }
  }
  return order.Get();
}

PairAccuracy PreferenceAccuracy(const RaterColumn& first, std::span<const RaterColumn> others) {
  Order order;
  for (size_t i = 0; i < first.size(); ++i) order.Add(MeanOf(others, i) - 0.5, first[i] - 0.5);
  return order.Get();
}

}  // namespace atelier::evaluate
