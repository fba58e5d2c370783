// Attention as recurrent decoders have it: one query per sequence and step over the source's places.
//
//   score_s = v . tanh(q + k_s)  (Bahdanau et al. 2015), or q . k_s where there is no v (Luong et al. 2015)
//   a = softmax(score) over the sequence's length;   c = sum over s of a_s m_s
//
// What lies behind a sequence's length is neither read nor written.
#pragma once

#include <cstdint>

namespace atelier::kernel {

struct QueryAttention {
  int64_t time = 0, width = 0;       // of the source, padding and all
  const int64_t* lengths = nullptr;  // [sequences], each at least 1
  const float* query = nullptr;      // q [sequences, width]
  const uint16_t* keys = nullptr;    // k [sequences, time, width]
  const uint16_t* values = nullptr;  // m [sequences, time, width]
  const float* energy = nullptr;     // v [width]; null: products
  float* weights = nullptr;          // a [sequences, time]
  uint16_t* context = nullptr;       // c [sequences, width]

  // Backward: reads weights.
  const float* d_context = nullptr;              // [sequences, width]
  float* d_scores = nullptr;                     // [sequences, time], scratch
  uint16_t* d_query = nullptr;                   // [sequences, width]
  float *d_keys = nullptr, *d_values = nullptr;  // [sequences, time, width], added to
  float* d_energy = nullptr;                     // [sequences, width], each sequence's share, added to
};

}  // namespace atelier::kernel
