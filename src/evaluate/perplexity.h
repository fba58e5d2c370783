// Perplexity of a language model on a text: exp of the mean negative log-likelihood per token (Jelinek et al. 1977),
// over the windows that llama.cpp's llama-perplexity takes, so that figures can be compared: the text's tokens (with
// BOS at their start where the model wants one) are cut into windows of `context`, each window's first token is
// replaced by BOS where the model wants one, and the tokens of each second half are scored given everything before them
// in the window.
#pragma once

#include <cstdint>
#include <string_view>

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

}  // namespace atelier::evaluate
