#include "evaluate/perplexity.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/str.h"

namespace atelier::evaluate {

TextWindows::TextWindows(const artefact::Generator& model, std::string_view text, int64_t context) : context_(context) {
  if (context < 4 || context > model.info().context_length) {
    throw Error(Code::kInvalidInput, Cat("a window of ", context, " tokens"),
                Cat("from 4 to the model's context of ", model.info().context_length));
  }
  tokens_ = model.Tokenize(text, true);
  if (size() < 2) {
    throw Error(Code::kInvalidInput,
                Cat("the text has ", tokens_.size(), " tokens, two windows of ", context, " are needed"),
                "give a longer text or a smaller --ctx");
  }
  if (model.wants_bos()) {
    for (int64_t w = 0; w < size(); ++w) tokens_[static_cast<size_t>(w * context)] = model.bos();
  }
}

std::span<const int32_t> TextWindows::operator[](int64_t i) const {
  return {tokens_.data() + i * context_, static_cast<size_t>(context_)};
}

void PerplexitySum::Add(double logprob) {
  sum_ -= logprob;
  squares_ += logprob * logprob;
  ++scored_;
}

Perplexity PerplexitySum::Result(const TextWindows& windows) const {
  Perplexity result;
  result.tokens = windows.tokens();
  result.windows = windows.size();
  result.scored = scored_;
  const auto n = static_cast<double>(scored_);
  const double mean = sum_ / n;
  result.perplexity = std::exp(mean);
  result.standard_error =
      scored_ > 1 ? result.perplexity * std::sqrt(std::max(0.0, squares_ / n - mean * mean) / (n - 1)) : 0;
  return result;
}

Perplexity MeasurePerplexity(artefact::Generator& model, std::string_view text, int64_t context,
                             const ProgressFn& progress) {
  const TextWindows windows(model, text, context);
  PerplexitySum sum;
  for (int64_t w = 0; w < windows.size(); ++w) {
    for (const float logprob : model.Logprobs(windows[w], windows.first_scored())) sum.Add(logprob);
    if (progress) {
      progress(static_cast<uint64_t>(w + 1), static_cast<uint64_t>(windows.size()),
               Cat("perplexity ", FormatFixed(sum.Result(windows).perplexity, 3)));
    }
  }
  return sum.Result(windows);
}

}  // namespace atelier::evaluate
