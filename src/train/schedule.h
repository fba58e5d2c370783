// The rate of each step: warm-up from 0, then constant, linear, half a cosine (Loshchilov & Hutter 2017), or halved
// when validation stands still.
#pragma once

#include "base/json.h"
#include "train/settings.h"

namespace atelier::train {

class Schedule {
 public:
  Schedule(const ScheduleSettings& settings, int64_t steps) : s_(settings), steps_(steps) {}

  // What the optimiser's rate is multiplied by in step `step`, from 0.
  double Share(int64_t step) const;
  // Plateau alone listens; `loss` is the validation's.
  void Validated(double loss);

  Json State() const;
  void Restore(const Json& state);

 private:
  ScheduleSettings s_;
  int64_t steps_;
  double best_ = 0, share_ = 1;  // plateau
  int64_t standing_ = 0;
  bool any_ = false;
};

}  // namespace atelier::train
