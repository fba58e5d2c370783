// One layer of an LSTM in one direction (model/recurrent.h has the formula), as one step of the gradient's graph: the
// input's product over all times at once, then per time one product of the state and the cells; on the way back the
// gradients of all weights at once behind the last time. The plain form is at::lstm.
//
// Gates, cells and states are f32 within a time; what is kept between times is bf16, but for c. The way back adds the
// parameters' gradients to their `grad` (ops.h, GradientOf) and hands on those of x and of the first state.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "model/fused/lstm_cell.h"

namespace atelier::model::fused {

struct LstmOutput {
  torch::Tensor rows;  // [rows, hidden] bf16: h of each row of x
  LstmState after;     // behind each sequence's last row, or its first in reverse
};

// x [rows, in]: sizes[t] rows of time t behind those of t - 1, the sequences from the longest to the shortest, so that
// sizes fall or stay (torch's packed form). `before`: undefined for zeros. In reverse every sequence runs from its end.
LstmOutput Lstm(const torch::Tensor& x, const std::vector<int64_t>& sizes, const LstmWeights& weights,
                const LstmState& before, bool reverse);

}  // namespace atelier::model::fused
