// The decoder of model/seq2seq.h with Bahdanau's attention and one layer, all true tokens given, as one step of the
// gradient's graph. For each time, y' the token before and s' the state before:
//   a = softmax(v . tanh(Q s' + K memory));   c = a . memory;   s = LSTM([E[y']; c], s')
// What the tokens add to the gates is one product over all times, and so are all gradients of weights. The plain form
// is Seq2Seq::Decode.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "model/fused/lstm_cell.h"

namespace atelier::model::fused {

struct AttentionWeights {
  torch::Tensor query;   // Q [width, width]
  torch::Tensor energy;  // v [1, width]
  LstmWeights cell;      // W [4 width, embedding + width], ...
};

struct AttentionSource {
  torch::Tensor keys, memory;  // K memory and memory: [sequences, source time, width]
  torch::Tensor lengths;       // [sequences] int64, each at least 1
};

struct AttentionDecoded {
  torch::Tensor states, contexts;  // s and c, [rows, width] bf16
};

// x [rows, embedding]: sizes[t] rows of time t behind those of t - 1, the sequences from the longest to the shortest.
AttentionDecoded DecodeAttending(const torch::Tensor& x, const std::vector<int64_t>& sizes,
                                 const AttentionWeights& weights, const AttentionSource& source,
                                 const LstmState& before);

}  // namespace atelier::model::fused
