// atelier-learn generate --model FILE < PROMPT [--tokens N] [--samples N] [--temperature T] [--top-k K] [--seed
// N]: text from a language model that only LibTorch runs, or a look at a checkpoint.
#include <torch/torch.h>

#include "app/learn/command.h"
#include "app/learn/events.h"
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
  const auto number = [&](const char* name, double otherwise, double least, double most) {
    const auto it = options.find(name);
    if (it == options.end()) return otherwise;
    const auto value = ParseDouble(it->second);
    if (!value || *value < least || *value > most) {
      throw Error(Code::kUsage, Cat("--", name, " ", Quote(it->second), " is no number from ", least, " to ", most));
    }
    return *value;
  };
  train::SampleOptions sample;
  sample.prompt = ReadFile("/dev/stdin", 64u << 20);
  sample.samples = static_cast<int64_t>(number("samples", 1, 1, 256));
  sample.tokens = static_cast<int64_t>(number("tokens", 128, 0, 1 << 20));
  sample.temperature = number("temperature", 1, 0, 100);
  sample.top_k = static_cast<int64_t>(number("top-k", 0, 0, 1 << 20));
  sample.seed = static_cast<uint64_t>(number("seed", 0, 0, 9e15));
  Tell("done", {{"texts", train::SampleText(*language, *opened.tokenizer, sample)}});
  return 0;
}

}  // namespace atelier::learn
