// Sums in the order in which numpy adds (pairwise, eight at a time), so that a mean rounds to the digit that the
// field's references print.
#pragma once

#include <span>

namespace atelier::evaluate {

double Sum(std::span<const double> values);
double Mean(std::span<const double> values);  // 0 for none

}  // namespace atelier::evaluate
