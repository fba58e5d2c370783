// Draws text from a language model in training: for looking at, not for serving.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/model.h"
#include "text/tokenizer.h"

namespace atelier::train {

struct SampleOptions {
  std::string prompt;
  int64_t samples = 3, tokens = 64;
  double temperature = 1;
  int64_t top_k = 0;  // 0: all
  uint64_t seed = 1;
};

// Each ends at the tokenizer's end mark or after `tokens`. The model is in evaluation mode.
std::vector<std::string> SampleText(model::LanguageModel& model, const text::Tokenizer& tokenizer,
                                    const SampleOptions& options);

}  // namespace atelier::train
