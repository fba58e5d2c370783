// What fused layers with LSTM cells are made of: gates of a time, then cells, over the same panels of 64 units, so that
// a thread goes on with the units whose gates it has made. Panels are given as ranges [begin, end).
#pragma once

#include "model/fused/ops.h"

namespace atelier::model::fused {

constexpr int64_t kGates = 4;

struct LstmWeights {
  torch::Tensor input, state, input_bias, state_bias;  // W [4 hidden, in], U [4 hidden, hidden], b, d [4 hidden]
};

struct LstmState {
  torch::Tensor h, c;  // [sequences, hidden] f32
};

// A weight [4 hidden, ins], forward each gate's rows by themselves, so that a panel has the same units in all four.
Packed PackGates(const torch::Tensor& weight, bool with_backward);

// gates [rows, 4 hidden] = x w^T + add, x [rows, ins]; null x: add alone; null add: onto gates.
void MultiplyGates(const uint16_t* x, int64_t rows, const Packed& w, const uint16_t* add, float* gates, int64_t begin,
                   int64_t end);
// dx [rows, ins] (+)= d_gates w (+ add), panels of ins.
void MultiplyBack(const uint16_t* d, int64_t rows, const Packed& w, const uint16_t* add, bool accumulate, float* dx,
                  int64_t begin, int64_t end);

void CellsForward(const kernel::LstmCell& cell, int64_t begin, int64_t end);
void CellsBackward(const kernel::LstmCell& cell, int64_t begin, int64_t end);

}  // namespace atelier::model::fused
