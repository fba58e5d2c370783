// Learning from another model's probabilities beside the texts themselves (Hinton et al. 2015, section 2): with logits
// s of the student and t of the teacher over one vocabulary, per token
//
//   loss = (1 - w) T^2 KL(softmax(t / T) || softmax(s / T)) - w log softmax(s)[label]
#pragma once

#include <torch/torch.h>

#include "model/frozen.h"

namespace atelier::model {

struct DistilConfig {
  double temperature = 1;     // T
  double label_weight = 0.5;  // w
};

// Where a model's logits come from: softcap(hidden W^T).
struct OutputHead {
  torch::Tensor hidden;  // [rows, width] f32 or bf16
  FrozenMatrix matrix;   // [vocabulary, width]
  double softcap = 0;    // 0: none

  torch::Tensor Logits() const;  // [rows, vocabulary]
};

struct DistilLosses {
  torch::Tensor losses;              // [rows] f32; its gradient reaches the student's hidden rows
  torch::Tensor divergence, labels;  // [rows] of which it is made: KL, and -log softmax(s)[label]
};

// `labels` [rows] int64. Both models' logits are in memory for some rows at a time; the gradient is made with the loss
// and waits for the way back. REQUIRES: as many rows of both, and one vocabulary.
DistilLosses Distil(const OutputHead& student, const OutputHead& teacher, const torch::Tensor& labels,
                    const DistilConfig& config);

}  // namespace atelier::model
