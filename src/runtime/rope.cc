#include "runtime/rope.h"

#include <algorithm>
#include <cmath>

namespace atelier::runtime {

RopeTable::RopeTable(const RopeSpec& spec) : spec_(spec) {
  const int pairs = spec.dims / 2;
  // YaRN keeps pairs that turn more than beta_fast times over the original context, interpolates those that turn less
  // than beta_slow times, and blends linearly in between.
  const auto pair_turning = [&](double turns) {
    return spec.dims * std::log(static_cast<double>(spec.original_context) / (turns * 2 * M_PI)) /
           (2 * std::log(spec.base));
  };
  double low = 0, high = 0;
  if (spec.original_context > 0) {
    low = std::max(0.0, std::floor(pair_turning(spec.beta_fast)));
    high = std::min(spec.dims - 1.0, std::ceil(pair_turning(spec.beta_slow)));
  }
  for (int i = 0; i < pairs; ++i) {
    double frequency = std::pow(spec.base, -2.0 * i / spec.dims);
    if (!spec.divisors.empty()) frequency /= spec.divisors[static_cast<size_t>(i)];
    double interpolated = frequency / spec.linear;
    if (spec.original_context > 0) {
      const double blend = 1.0 - std::clamp((i - low) / std::max(0.001, high - low), 0.0, 1.0);
      interpolated = interpolated * (1 - blend) + frequency * blend;
    }
    frequencies_.push_back(interpolated);
  }
}

void RopeTable::Grow(int64_t end) {
  const size_t pairs = frequencies_.size();
  int64_t have = static_cast<int64_t>(turns_.size() / (pairs * 2));
  if (have >= end) return;
  end = (end + 255) / 256 * 256;
  turns_.resize(static_cast<size_t>(end) * pairs * 2);
  for (; have < end; ++have) {
    float* row = turns_.data() + static_cast<size_t>(have) * pairs * 2;
    for (size_t i = 0; i < pairs; ++i) {
      const double angle = static_cast<double>(have) * frequencies_[i];
      row[2 * i] = static_cast<float>(std::cos(angle) * spec_.magnitude);
      row[2 * i + 1] = static_cast<float>(std::sin(angle) * spec_.magnitude);
    }
  }
}

void RopeTable::Apply(float* head, int64_t position) const {
  const size_t pairs = frequencies_.size();
  const float* row = Turns(position);
  if (spec_.interleaved) {
    for (size_t i = 0; i < pairs; ++i) {
      const float a = head[2 * i], b = head[2 * i + 1];
      head[2 * i] = a * row[2 * i] - b * row[2 * i + 1];
      head[2 * i + 1] = a * row[2 * i + 1] + b * row[2 * i];
    }
  } else {
    for (size_t i = 0; i < pairs; ++i) {
      const float a = head[i], b = head[i + pairs];
      head[i] = a * row[2 * i] - b * row[2 * i + 1];
      head[i + pairs] = a * row[2 * i + 1] + b * row[2 * i];
    }
  }
}

}  // namespace atelier::runtime
