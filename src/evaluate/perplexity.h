// Perplexity of a language model on a text: exp of the mean negative log-likelihood per token (Jelinek et al. 1977),
// over the windows that llama.cpp's llama-perplexity takes, so that figures can be compared: the text's tokens (with
// BOS at their start where the model wants one) are cut into windows of `context`, each window's first token is
// replaced by BOS where the model wants one, and the tokens of each second half are scored given everything before them
// in the window.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "artefact/generator.h"
#include "base/progress.h"

namespace atelier::evaluate {

struct Perplexity {
  double perplexity = 0;
  double standard_error = 0;  // of the perplexity, by the delta method over scored tokens
  int64_t tokens = 0;         // of the text
  int64_t scored = 0;
  int64_t windows = 0;
};

// Throws kInvalidInput for a text of fewer than two windows, or a window that the model's context cannot hold.
Perplexity MeasurePerplexity(artefact::Generator& model, std::string_view text, int64_t context,
                             const ProgressFn& progress = nullptr);

// The windows themselves; throws as MeasurePerplexity does.
class TextWindows {
 public:
  TextWindows(const artefact::Generator& model, std::string_view text, int64_t context);
  int64_t tokens() const { return static_cast<int64_t>(tokens_.size()); }
  int64_t size() const { return tokens() / context_; }
  std::span<const int32_t> operator[](int64_t i) const;
  size_t first_scored() const { return static_cast<size_t>(context_ / 2 + 1); }  // in each window

 private:
  std::vector<int32_t> tokens_;
  int64_t context_;
};

// Adds up scored tokens.
class PerplexitySum {
 public:
  void Add(double logprob);
  Perplexity Result(const TextWindows& windows) const;  // of what was added so far

 private:
  double sum_ = 0, squares_ = 0;
  int64_t scored_ = 0;
};

}  // namespace atelier::evaluate
