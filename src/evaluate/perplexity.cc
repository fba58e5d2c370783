#include "evaluate/perplexity.h"

#include <cmath>

#include "base/error.h"
#include "base/str.h"

namespace atelier::evaluate {

Perplexity MeasurePerplexity(artefact::Generator& model, std::string_view text, int64_t context,
                             const ProgressFn& progress) {
  if (context < 4 || context > model.info().context_length) {
    throw Error(Code::kInvalidInput, Cat("a window of ", context, " tokens"),
                Cat("from 4 to the model's context of ", model.info().context_length));
  }
  std::vector<int32_t> tokens = model.Tokenize(text, true);
  Perplexity result;
  result.tokens = static_cast<int64_t>(tokens.size());
  result.windows = result.tokens / context;
  if (result.windows < 2) {
    throw Error(Code::kInvalidInput,
                Cat("the text has ", tokens.size(), " tokens, two windows of ", context, " are needed"),
                "give a longer text or a smaller --ctx");
  }
  double sum = 0, squares = 0;
  for (int64_t w = 0; w < result.windows; ++w) {
    const std::span<int32_t> window(tokens.data() + w * context, static_cast<size_t>(context));
    if (model.wants_bos()) window[0] = model.bos();
    for (float logprob : model.Logprobs(window, static_cast<size_t>(context / 2 + 1))) {
      sum -= logprob;
      squares += static_cast<double>(logprob) * logprob;
      ++result.scored;
    }
    if (progress) {
      progress(static_cast<uint64_t>(w + 1), static_cast<uint64_t>(result.windows),
               Cat("perplexity ", FormatFixed(std::exp(sum / static_cast<double>(result.scored)), 3)));
    }
  }
  const auto n = static_cast<double>(result.scored);
  const double mean = sum / n;
  result.perplexity = std::exp(mean);
  result.standard_error = n > 1 ? result.perplexity * std::sqrt(std::max(0.0, squares / n - mean * mean) / (n - 1)) : 0;
  return result;
}

}  // namespace atelier::evaluate
