// A curve of any length in bounded memory.
#pragma once

#include <cstdint>
#include <vector>

#include "report/chart.h"

namespace atelier::track {

// Up to 800 points are kept; when there are more, two neighbours become one, of their mean step and mean value, with
// the lowest and the highest. A NaN makes the point that it falls into a gap.
class Curve {
 public:
  void Add(int64_t step, double value);

  std::vector<report::Point> Points() const;
  uint64_t each() const { return each_; }  // values in a point, at most

  double last() const { return last_; }
  // Of the finite values, and the first steps that had them; missing without any.
  double lowest() const { return lowest_; }
  double highest() const { return highest_; }
  int64_t lowest_step() const { return lowest_step_; }
  int64_t highest_step() const { return highest_step_; }
  uint64_t values() const { return values_; }
  bool any_finite() const { return any_finite_; }

 private:
  struct Bucket {
    double step = 0, mean = 0, low = 0, high = 0;
    uint64_t count = 0;
  };
  static void Merge(const Bucket& more, Bucket* into);

  std::vector<Bucket> points_;
  uint64_t each_ = 1, values_ = 0;
  double last_ = 0, lowest_ = report::kMissing, highest_ = report::kMissing;
  int64_t lowest_step_ = 0, highest_step_ = 0;
  bool any_finite_ = false;
};

}  // namespace atelier::track
