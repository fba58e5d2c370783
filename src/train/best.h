// Which validation was the best so far, by one of its figures.
#pragma once

#include <map>
#include <string>

#include "base/json.h"

namespace atelier::train {

class Best {
 public:
  // `metric`: a name of what validations report ("loss", "macro_f1"), better the lower, or the higher with `maximise`.
  // "": nothing is ever the best, and none stands still.
  Best(std::string metric, bool maximise) : metric_(std::move(metric)), maximise_(maximise) {}

  // Whether this one is better than all before; what is not finite never is. Throws kInvalidInput where it has no such
  // figure.
  bool Take(int64_t step, const std::map<std::string, double>& values);
  bool Has(const std::map<std::string, double>& values) const { return values.contains(metric_); }
  // Its figure in `values`, as Take looks it up.
  double Of(const std::map<std::string, double>& values) const;

  const std::string& metric() const { return metric_; }
  bool any() const { return step_ >= 0; }
  int64_t step() const { return step_; }          // of the best; -1: there was none
  double value() const { return value_; }         // its figure
  int64_t standing() const { return standing_; }  // validations since

  Json State() const;
  // Throws kConflict where the state is of another metric or goal.
  void Restore(const Json& state);

 private:
  std::string metric_;
  bool maximise_;
  double value_ = 0;
  int64_t step_ = -1, standing_ = 0;
};

}  // namespace atelier::train
