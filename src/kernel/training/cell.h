// One step of recurrent cells: everything but the products. Gates in PyTorch's order, hidden units in ranges, so that a
// thread which made some units' gates goes on with them without waiting for others.
//
// LSTM (Hochreiter & Schmidhuber 1997), gates i, f, g, o:
//   c = sigmoid(f) c_prev + sigmoid(i) tanh(g);   h = sigmoid(o) tanh(c)
// GRU (Cho et al. 2014, as torch.nn.GRU), gates r, z, n of the input's product a and the state's product b:
//   n = tanh(a_n + sigmoid(r) b_n);   h = (1 - z) n + z h_prev,   r = a_r + b_r, z = sigmoid(a_z + b_z)
// What is kept for the way back are the gates before their functions, in bf16: their error of 2^-9 then acts as that of
// any bf16 activation, while kept sigmoids near 1 would lose what they lack to 1.
#pragma once

#include <cstdint>

namespace atelier::kernel {

struct LstmCell {
  int64_t batch = 0, hidden = 0;
  const float* gates = nullptr;   // [batch, 4 hidden], before their functions
  uint16_t* kept = nullptr;       // [batch, 4 hidden]; null: not wanted
  const float* c_prev = nullptr;  // [batch, hidden]; null: 0
  float* c = nullptr;             // [batch, hidden]; may be c_prev where nothing is kept
  float* h = nullptr;             // [batch, hidden] by h_stride; either may be null
  uint16_t* h16 = nullptr;
  int64_t h_stride = 0;

  // Backward: reads kept, c_prev, c.
  const uint16_t* dh16 = nullptr;  // [batch, hidden] by dh16_stride, of what reads h at this step; null: 0
  int64_t dh16_stride = 0;
  const float* dh = nullptr;    // [batch, hidden] of the step after; null: 0
  float* dc = nullptr;          // [batch, hidden] of the step after, becomes that of the step before
  uint16_t* d_gates = nullptr;  // [batch, 4 hidden]
};

struct GruCell {
  int64_t batch = 0, hidden = 0;
  const uint16_t* a = nullptr;    // [batch, 3 hidden] of the input, with its bias
  const float* b = nullptr;       // [batch, 3 hidden] of the state, with its bias
  uint16_t* kept = nullptr;       // [batch, 3 hidden] b; null: not wanted
  const float* h_prev = nullptr;  // [batch, hidden]; null: 0
  float* h = nullptr;             // [batch, hidden]; may be h_prev where nothing is kept
  uint16_t* h16 = nullptr;        // [batch, hidden] by h16_stride; null: not wanted
  int64_t h16_stride = 0;

  // Backward: reads a, kept, h_prev.
  const uint16_t* dh16 = nullptr;  // as above
  int64_t dh16_stride = 0;
  float* dh = nullptr;                    // [batch, hidden] of the step after, becomes dh z: the state's own share
  uint16_t *da = nullptr, *db = nullptr;  // [batch, 3 hidden]
};

}  // namespace atelier::kernel
