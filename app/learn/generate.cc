// atelier-learn generate --model FILE < PROMPT [--tokens N] [--samples N] [--temperature T] [--top-k K] [--seed
// N]: text from a language model that only LibTorch runs, or a look at a checkpoint.
#include <torch/torch.h>

#include "app/learn/command.h"
#include "app/learn/events.h"
#include "app/learn/options.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "model/model_file.h"
#include "train/sample_text.h"

namespace atelier::learn {

int Generate(const Options& options, const std::atomic<bool>&) {
  const model::OpenedModel opened = model::OpenModel(options.at("model"));
  auto* language = dynamic_cast<model::LanguageModel*>(opened.model.get());
  if (language == nullptr || opened.tokenizer == nullptr) {
    throw Error(Code::kUnsupported, Cat(opened.architecture->name, " continues no text"));
  }
  train::SampleOptions sample;
  sample.prompt = ReadFile("/dev/stdin", 64u << 20);
  sample.samples = Whole(options, "samples", 1, 1, 256);
  sample.tokens = Whole(options, "tokens", 128, 0, 1 << 20);
  sample.temperature = Number(options, "temperature", 1, 0, 100);
  sample.top_k = Whole(options, "top-k", 0, 0, 1 << 20);
  sample.seed = static_cast<uint64_t>(Whole(options, "seed", 0, 0, INT64_MAX));
  Tell("done", {{"texts", train::SampleText(*language, *opened.tokenizer, sample)}});
  return 0;
}

}  // namespace atelier::learn
