// Sums in the order in which numpy adds (pairwise, eight at a time), so that a mean rounds to the digit that the
// field's references print.
#pragma once

#include <limits>
#include <span>

namespace atelier::evaluate {

// A figure that its texts or labels do not determine; `--json` says null.
inline constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

double Sum(std::span<const double> values);
double Mean(std::span<const double> values);  // 0 for none

}  // namespace atelier::evaluate
