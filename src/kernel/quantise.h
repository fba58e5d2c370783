// Weights into blocks: the way back of Dequantise.
//
// Q8_0's scale is read off the greatest number. Otherwise each block's scale (and minimum) is the one of least weighted
// square error, sum_i w[i] (x[i] - scale q[i] - min)^2, among those that a search over ranges and a few rounds of least
// squares find; formats with scales of scales round those, fit the outer ones again, and choose the integers last, for
// what is stored.
#pragma once

#include <cstdint>

#include "kernel/format.h"

namespace atelier::kernel {

// x [cols], cols a multiple of the format's block, into the row's blocks. `importance` [cols] says how much an error in
// a column counts (the mean square of what the column is multiplied with), or is null: all alike. Returns false, with
// undefined blocks, where a number is not finite or does not fit: above 1e7, or 65504 in what is stored as binary16.
bool QuantiseRow(Format format, const float* x, int64_t cols, const float* importance, void* blocks);

}  // namespace atelier::kernel
