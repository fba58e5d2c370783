// What a model learns from in one step.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

namespace atelier::model {

// A target that nothing is asked of: padding, a prompt, an unmasked word.
inline constexpr int64_t kIgnored = -100;

// Rows are examples. Which fields are there follows from the kind of data that an architecture eats (zoo.h).
struct Batch {
  torch::Tensor inputs;          // [batch, time] int64 token ids, or [batch, ...] f32 values
  torch::Tensor lengths;         // [batch] int64, the real part of each row of `inputs`; undefined: all of it
  torch::Tensor targets;         // [batch, time] int64, [batch] int64 classes; kIgnored where nothing is asked
                                 // of choices: [options], the choice that each is of (bert_ranker.h)
  torch::Tensor source;          // [batch, source time] int64: what a translation is made of
  torch::Tensor source_lengths;  // [batch] int64
  torch::Tensor marks;           // [batch / 2] f32: 1 for a reply that was wanted, -1 for one that was not
                                 // of choices: [options] f32, what part of a choice's weight each was taken by

  std::vector<std::string> records;  // [batch] as JSON: what replies to prompts are scored by

  int64_t rows() const { return inputs.size(0); }
};

}  // namespace atelier::model
