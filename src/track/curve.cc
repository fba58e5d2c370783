#include "track/curve.h"

#include <algorithm>
#include <cmath>

namespace atelier::track {
namespace {

constexpr size_t kMostPoints = 800;

}  // namespace

void Curve::Add(int64_t step, double value) {
  last_ = value;
  ++values_;
  if (std::isfinite(value)) {
    if (!any_finite_ || value < lowest_) lowest_ = value, lowest_step_ = step;
    if (!any_finite_ || value > highest_) highest_ = value, highest_step_ = step;
    any_finite_ = true;
  }
  if (points_.empty() || points_.back().count >= each_) points_.push_back({});
  Merge({static_cast<double>(step), value, value, value, 1}, &points_.back());
  if (points_.size() <= kMostPoints) return;
  each_ *= 2;
  for (size_t i = 0; i < points_.size(); ++i) {
    const Bucket whole = points_[i];
    if (i % 2 == 0) points_[i / 2] = {};
    Merge(whole, &points_[i / 2]);
  }
  points_.resize((points_.size() + 1) / 2);
}

std::vector<report::Point> Curve::Points() const {
  std::vector<report::Point> out;
  for (const Bucket& bucket : points_) {
    report::Point point;
    point.x = bucket.step;
    point.y = bucket.mean;
    if (each_ > 1) point.low = bucket.low, point.high = bucket.high;
    out.push_back(point);
  }
  return out;
}

void Curve::Merge(const Bucket& more, Bucket* into) {
  const double share = static_cast<double>(more.count) / static_cast<double>(into->count + more.count);
  into->low = into->count == 0 ? more.low : std::min(into->low, more.low);
  into->high = into->count == 0 ? more.high : std::max(into->high, more.high);
  into->step += (more.step - into->step) * share;
  into->mean += (more.mean - into->mean) * share;
  into->count += more.count;
}

}  // namespace atelier::track
