#include "evaluate/sums.h"

#include <array>
#include <cstddef>

namespace atelier::evaluate {

double Sum(std::span<const double> values) {
  constexpr size_t kLanes = 8, kBlock = 128;
  const size_t n = values.size();
  if (n < kLanes) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum;
  }
  if (n > kBlock) {
    const size_t half = n / 2 - n / 2 % kLanes;
    return Sum(values.first(half)) + Sum(values.subspan(half));
  }
  std::array<double, kLanes> r;
  for (size_t j = 0; j < kLanes; ++j) r[j] = values[j];
  size_t i = kLanes;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) r[j] += values[i + j];
  }
  double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  for (; i < n; ++i) sum += values[i];
  return sum;
}

double Mean(std::span<const double> values) {
  return values.empty() ? 0 : Sum(values) / static_cast<double>(values.size());
}

}  // namespace atelier::evaluate
