#include "data/clean/sketch.h"

#include <algorithm>
#include <cmath>

namespace atelier::data::clean {

void Sketch::Add(double value) {
  ++count_;
  buffer_.push_back(value);
  if (levels_.empty() ? buffer_.size() > kExact : buffer_.size() >= 2 * kLevel) {
    std::sort(buffer_.begin(), buffer_.end());
    if (levels_.empty()) {
      levels_.resize(1);
      odd_.resize(1);
    }
    // An odd value left over stays at its own weight.
    const size_t pairs = buffer_.size() / 2;
    for (size_t i = 0; i < pairs; ++i) levels_[0].push_back(buffer_[2 * i + (odd_[0] ? 1 : 0)]);
    odd_[0] = !odd_[0];
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(2 * pairs));
    Compact(0);
  }
}

void Sketch::Compact(size_t level) {
  if (levels_[level].size() < 2 * kLevel) return;
  if (level + 1 == levels_.size()) {
    levels_.emplace_back();
    odd_.push_back(false);
  }
  std::vector<double>& from = levels_[level];
  std::sort(from.begin(), from.end());
  const size_t pairs = from.size() / 2;
  for (size_t i = 0; i < pairs; ++i) levels_[level + 1].push_back(from[2 * i + (odd_[level + 1] ? 1 : 0)]);
  odd_[level + 1] = !odd_[level + 1];
  from.erase(from.begin(), from.begin() + static_cast<ptrdiff_t>(2 * pairs));
  Compact(level + 1);
}

Sketch::Weighted Sketch::Values() const {
  Weighted values;
  for (const double value : buffer_) values.emplace_back(value, 1);
  for (size_t i = 0; i < levels_.size(); ++i) {
    for (const double value : levels_[i]) values.emplace_back(value, uint64_t{2} << i);
  }
  std::sort(values.begin(), values.end());
  return values;
}

double Sketch::QuantileOf(const Weighted& values, uint64_t total, double q) {
  const double place = q * static_cast<double>(total - 1);
  const auto low = static_cast<uint64_t>(std::floor(place));
  uint64_t before = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    before += values[i].second;
    if (low >= before) continue;
    const double here = values[i].first;
    // The next place may hold the next value.
    const double next = low + 1 < before || i + 1 == values.size() ? here : values[i + 1].first;
    return here + (next - here) * (place - static_cast<double>(low));
  }
  return values.back().first;
}

double Sketch::Quantile(double q) const { return QuantileOf(Values(), count_, q); }

double Sketch::MedianDistance(double centre) const {
  Weighted values = Values();
  for (auto& [value, weight] : values) value = std::fabs(value - centre);
  std::sort(values.begin(), values.end());
  return QuantileOf(values, count_, 0.5);
}

void Moments::Add(double value) {
  if (count++ == 0) least = most = value;
  const double away = value - mean;
  mean += away / static_cast<double>(count);
  squares += away * (value - mean);
  least = std::min(least, value);
  most = std::max(most, value);
}

}  // namespace atelier::data::clean
