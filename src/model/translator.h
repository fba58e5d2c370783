// A model that makes a target sequence out of a source sequence, token by token: what seq2seq.h and transformer.h have
// in common, and all that beam search (beam_search.h) knows of them.
#pragma once

#include <vector>

#include "model/model.h"

namespace atelier::model {

// What a decoder carries from one token to the next. The first axis of every tensor is the row.
struct DecoderState {
  std::vector<torch::Tensor> source;  // of the source alone: the same for all continuations of it
  std::vector<torch::Tensor> past;    // of the target tokens so far
};

struct DecoderStep {
  torch::Tensor logits;     // [rows, vocabulary] f32, of the next token
  torch::Tensor attention;  // [rows, source time] f32, how much of each source token went into them; rows sum to 1
};

class Translator : public Model {
 public:
  // The cross-entropy of Logits.
  Loss ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) override;
  // Logits of every target where the true ones before it are given (teacher forcing; seq2seq.h may be less strict in
  // training). -> [batch, time, vocabulary]
  virtual torch::Tensor Logits(const Batch& batch) = 0;

  // Reads sources, [rows, source time], each as long as `lengths` [rows] says, at least 1.
  virtual DecoderState Encode(const torch::Tensor& source, const torch::Tensor& lengths) = 0;
  // Reads one more target token for each row, [rows]; the first is the begin mark. In evaluation mode, step by step,
  // it gives what Logits gives at once.
  virtual DecoderStep Step(const torch::Tensor& previous, DecoderState* state) = 0;

  virtual int64_t context() const = 0;  // the longest source and target
};

// [rows, time], true behind each row's end.
torch::Tensor Behind(const torch::Tensor& lengths, int64_t time);

}  // namespace atelier::model
