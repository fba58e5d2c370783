// One pass of an optimiser over a flat stretch of weights: reads the gradient once, updates moments and weights, writes
// the bf16 copy, and leaves the gradient zero for the next step. Everything is f32, element by element.
#pragma once

#include <cstdint>

namespace atelier::kernel {

// What all of them read and write. [n] each
struct Arena {
  float* weight = nullptr;
  float* gradient = nullptr;  // read as gradient * scale, then set to 0
  float scale = 1;            // of clipping, of mixed precision
  uint16_t* copy = nullptr;   // the new weights in bf16; null: not wanted
  int64_t n = 0;
};

// Decoupled weight decay (Loshchilov & Hutter 2019), as torch.optim.AdamW:
//   w -= rate decay w;  m += (1 - beta1) (g - m);  v = beta2 v + (1 - beta2) g^2
//   w -= rate / correction1 m / (sqrt(v / correction2) + epsilon),  correction_i = 1 - beta_i^step
struct AdamW {
  float rate = 1e-3f, beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f, decay = 0.01f;
  float correction1 = 1, correction2 = 1;
};

// With momentum from 0 and decoupled decay:
//   w -= rate decay w;  m = momentum m + g;  w -= rate (nesterov ? g + momentum m : m)
struct Sgd {
  float rate = 1e-2f, momentum = 0, decay = 0;
  bool nesterov = false;
};

// Lion (Chen et al. 2023): w -= rate (sign(beta1 m + (1 - beta1) g) + decay w);  m = beta2 m + (1 - beta2) g
struct Lion {
  float rate = 1e-4f, beta1 = 0.9f, beta2 = 0.99f, decay = 0;
};

// Sums of squares of long arrays are taken in pieces of this length, added up in order.
constexpr int64_t kSumPiece = 8192;

}  // namespace atelier::kernel
