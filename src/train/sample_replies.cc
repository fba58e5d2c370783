#include "train/sample_replies.h"

#include <algorithm>

namespace atelier::train {
namespace {

constexpr int64_t kMostTokens = 128;  // of a reply: samples are looked at, and training waits for them

struct PromptAndReply {
  std::vector<int32_t> prompt, wanted;
};

// Of the first row that `example` became.
PromptAndReply Split(const Examples& examples, int64_t example) {
  const int64_t which[] = {example};
  const model::Batch batch = examples.Collate(which, Rng(0));
  const int64_t length = batch.lengths.defined() ? batch.lengths[0].item<int64_t>() : batch.inputs.size(1);
  const auto* inputs = batch.inputs[0].data_ptr<int64_t>();
  PromptAndReply given;
  if (!batch.targets.defined()) {  // prompts alone
    given.prompt.assign(inputs, inputs + length);
    return given;
  }
  const auto* targets = batch.targets[0].data_ptr<int64_t>();
  int64_t first = 0;
  while (first < length && targets[first] == model::kIgnored) ++first;
  given.prompt.assign(inputs, inputs + std::min(first + 1, length));
  for (int64_t t = first; t < length && targets[t] != model::kIgnored; ++t) {
    given.wanted.push_back(static_cast<int32_t>(targets[t]));
  }
  return given;
}

}  // namespace

std::vector<ReplySample> SampleReplies(PolicyEngine& engine, const model::Pretrained& model,
                                       const text::Tokenizer& tokenizer, const Examples& examples, int64_t count) {
  count = std::min(count, examples.size());
  std::vector<ReplySample> samples;
  std::vector<artefact::GenerateRequest> requests;
  for (int64_t i = 0; i < count; ++i) {
    PromptAndReply given = Split(examples, i * examples.size() / count);
    samples.push_back({tokenizer.Decode(given.prompt), "", tokenizer.Decode(given.wanted)});
    artefact::GenerateRequest request;
    request.max_tokens =
        static_cast<int>(std::clamp<int64_t>(model.context() - std::ssize(given.prompt), 1, kMostTokens));
    request.prompt_tokens = std::move(given.prompt);
    request.sampling.temperature = 0;
    requests.push_back(std::move(request));
  }
  if (requests.empty()) return samples;
  const auto results = artefact::GenerateAll(*engine.With(model.ToAdapter()), requests);
  for (size_t i = 0; i < samples.size(); ++i) samples[i].reply = results[i].samples.at(0).text;
  return samples;
}

}  // namespace atelier::train
