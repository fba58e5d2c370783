// A model in training: parameters, a loss, and what it can show of itself. Architectures are listed in zoo.h.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/batch.h"

namespace atelier::model {

struct LossOptions {
  double label_smoothing = 0;  // share of the target's probability that is spread over all classes
};

struct Loss {
  torch::Tensor value;                    // scalar: the mean over `Model::Count(batch)` items
  std::map<std::string, double> details;  // further figures of the same batch ("accuracy"), for the log
  // A classifier's: what it names, int64 as the targets, of how many classes.
  torch::Tensor predicted{};
  int64_t classes = 0;
  // Adds the gradients of value * share to the parameters' `grad`; at most once. Where it is unset, value's graph does.
  std::function<void(double share)> way_back{};

  void Backward(double share = 1) const {
    if (way_back) return way_back(share);
    (share == 1 ? value : value * share).backward();
  }
};

// Parameters that one optimiser steps together. Most models have one part; a GAN has two, stepped in their order.
struct Part {
  std::string name;
  std::vector<std::string> prefixes;  // of its parameters' names; empty: all
};

class Model : public torch::nn::Module {
 public:
  virtual std::vector<Part> Parts() const { return {{"model", {}}}; }
  // The loss whose gradient steps part `part`. In training mode it may draw random numbers (dropout, noise) from
  // torch's generator.
  virtual Loss ComputeLoss(const Batch& batch, size_t part, const LossOptions& options) = 0;
  // How many items the loss is a mean over: gradients of several batches are weighed by it.
  virtual int64_t Count(const Batch& batch, size_t part) const;

  // Whether to recompute activations in the backward pass instead of keeping them. Returns whether the architecture
  // can.
  virtual bool SetCheckpointing(bool) { return false; }
};

// One that continues a sequence of tokens.
class LanguageModel : public Model {
 public:
  // Logits of the next token after each row. ids: [batch, time] -> [batch, vocabulary]. Evaluation mode, no gradient.
  virtual torch::Tensor NextLogits(const torch::Tensor& ids) = 0;
  virtual int64_t context() const = 0;  // the longest `time`
};

// mean over targets that are not kIgnored of -log softmax(logits)[target]; logits [items, classes], targets [items].
// With nothing asked it is 0, not NaN.
torch::Tensor CrossEntropy(const torch::Tensor& logits, const torch::Tensor& targets, const LossOptions& options);

}  // namespace atelier::model
