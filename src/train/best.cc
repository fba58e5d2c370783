#include "train/best.h"

#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/str.h"

namespace atelier::train {

double Best::Of(const std::map<std::string, double>& values) const {
  const auto it = values.find(metric_);
  if (it != values.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& [name, unused] : values) names.push_back(name);
  throw Error(Code::kInvalidInput, Cat("validation.metric: a validation of this model has no ", Quote(metric_)),
              Cat("it has ", Join(names, ", ")));
}

bool Best::Take(int64_t step, const std::map<std::string, double>& values) {
  if (metric_.empty()) return false;
  const double value = Of(values);
  const bool better = std::isfinite(value) && (step_ < 0 || (maximise_ ? value > value_ : value < value_));
  if (better) {
    value_ = value, step_ = step, standing_ = 0;
  } else {
    ++standing_;
  }
  return better;
}

Json Best::State() const {
  return {{"metric", metric_}, {"maximise", maximise_}, {"value", value_}, {"step", step_}, {"standing", standing_}};
}

void Best::Restore(const Json& state) {
  const auto metric = state.at("metric").get<std::string>();
  const bool maximise = state.at("maximise").get<bool>();
  if (metric != metric_ || maximise != maximise_) {
    const auto by = [](const std::string& name, bool most) { return Cat(most ? "the most " : "the least ", name); };
    throw Error(Code::kConflict,
                Cat("the checkpoint's best has ", by(metric, maximise), ", not ", by(metric_, maximise_)),
                "validation.metric and goal are of another configuration");
  }
  value_ = state.at("value").get<double>();
  step_ = state.at("step").get<int64_t>();
  standing_ = state.at("standing").get<int64_t>();
}

}  // namespace atelier::train
