#include "train/sample_text.h"

#include "base/rng.h"
#include "train/examples.h"

namespace atelier::train {
namespace {

// An index drawn from softmax(logits / temperature) over the top_k largest; temperature 0 takes the largest.
int64_t Draw(torch::Tensor logits, const SampleOptions& options, Rng* rng) {
  if (options.temperature <= 0) return logits.argmax().item<int64_t>();
  logits = logits / options.temperature;
  if (options.top_k > 0 && options.top_k < logits.numel()) {
    const torch::Tensor least = std::get<0>(logits.topk(options.top_k)).min();
    logits = logits.masked_fill(logits < least, -std::numeric_limits<float>::infinity());
  }
  const torch::Tensor cumulative = logits.softmax(-1).to(torch::kFloat64).cumsum(-1).contiguous();
  const double* c = cumulative.data_ptr<double>();
  const int64_t n = cumulative.numel();
  return std::min<int64_t>(n - 1, std::upper_bound(c, c + n, rng->Uniform() * c[n - 1]) - c);
}

}  // namespace

std::vector<std::string> SampleText(model::LanguageModel& model, const text::Tokenizer& tokenizer,
                                    const SampleOptions& options) {
  const torch::NoGradGuard no_gradient;
  const SpecialIds ids = FindSpecialIds(tokenizer);
  std::vector<std::string> texts;
  for (int64_t i = 0; i < options.samples; ++i) {
    Rng rng(options.seed, std::to_string(i));
    std::vector<text::TokenId> tokens;
    if (ids.begin >= 0) tokens.push_back(static_cast<text::TokenId>(ids.begin));
    const std::vector<text::TokenId> prompt = tokenizer.Encode(options.prompt);
    tokens.insert(tokens.end(), prompt.begin(), prompt.end());
    if (tokens.empty()) tokens.push_back(static_cast<text::TokenId>(std::max<int64_t>(0, ids.end)));
    const size_t begin = ids.begin >= 0 ? 1 : 0;
    for (int64_t n = 0; n < options.tokens; ++n) {
      const size_t from = tokens.size() - std::min<size_t>(tokens.size(), static_cast<size_t>(model.context()));
      const torch::Tensor input =
          torch::tensor(std::vector<int64_t>(tokens.begin() + static_cast<int64_t>(from), tokens.end())).unsqueeze(0);
      const int64_t next = Draw(model.NextLogits(input)[0], options, &rng);
      if (next == ids.end) break;
      tokens.push_back(static_cast<text::TokenId>(next));
    }
    texts.push_back(tokenizer.Decode(std::span(tokens).subspan(begin)));
  }
  return texts;
}

}  // namespace atelier::train
