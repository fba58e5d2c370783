// atelier-learn score --run DIR|--model FILE --input DATASET_OR_FILE [--datasets DIR]: how well a language model
// predicts texts, in bits per character, which models of different vocabularies share, and an n-gram baseline with them
// (`atelier evaluate ngram`): the end of a text counts as a character.
//
// Every text stands by itself behind the mark of a beginning. One longer than the model's context is scored in windows
// that overlap by half, each token once, with at least half a window before it; so is one of more than 1024 tokens
// where the model has no bound. Tokens that stand for unknown characters are counted: they make the figure too low.
#include <torch/torch.h>

#include <cmath>

#include "app/learn/command.h"
#include "app/learn/events.h"
#include "app/learn/opened.h"
#include "app/learn/options.h"
#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"
#include "train/examples.h"
#include "train/settings.h"

namespace atelier::learn {
namespace {

constexpr int64_t kWindowBatch = 32;       // windows, at most
constexpr int64_t kMostLogits = 64 << 20;  // of a batch

struct Window {
  std::vector<int32_t> tokens;  // the last is asked for, not read
  int64_t first = 1;            // the first token that is asked for
};

struct Texts {
  std::vector<Window> windows;
  int64_t records = 0, characters = 0, tokens = 0, unknown = 0, ends = 0;
};

void AddText(std::vector<int32_t> tokens, int64_t context, Texts* texts) {
  const auto n = static_cast<int64_t>(tokens.size());
  texts->tokens += n - 1;
  int64_t asked = 1;
  for (int64_t begin = 0; asked < n; begin += std::max<int64_t>(1, context / 2)) {
    const int64_t end = std::min(n, begin + context + 1);
    texts->windows.push_back({{tokens.begin() + begin, tokens.begin() + end}, asked - begin});
    asked = end;
  }
}

Texts ReadTexts(const model::OpenedModel& opened, const train::DataSettings& data, const train::Records& records,
                int64_t context) {
  train::SpecialIds ids = train::FindSpecialIds(*opened.tokenizer);
  if (ids.begin < 0) ids.begin = ids.end;  // where one mark divides texts
  if (ids.begin < 0) {
    throw Error(Code::kUnsupported, "the model's tokenizer marks neither the beginning nor the end of a text",
                "bits of a whole text want one");
  }
  Texts texts;
  records.ForEach([&](int64_t index, const Json& fields) {
    const std::string text = train::TextField(fields, data.text, records.Describe(index));
    std::vector<int32_t> tokens = {static_cast<int32_t>(ids.begin)};
    for (const text::TokenId id : opened.tokenizer->Encode(text)) {
      tokens.push_back(id);
      texts.unknown += id == ids.unknown;
    }
    if (ids.end >= 0) tokens.push_back(static_cast<int32_t>(ids.end));
    AddText(std::move(tokens), context, &texts);
    ++texts.records;
    texts.characters += static_cast<int64_t>(text::CountChars(text));
    texts.ends += ids.end >= 0;
  });
  if (texts.windows.empty()) throw Error(Code::kInvalidInput, Cat(records.name(), ": there is no text in it"));
  std::stable_sort(texts.windows.begin(), texts.windows.end(),
                   [](const Window& a, const Window& b) { return a.tokens.size() < b.tokens.size(); });
  return texts;
}

model::Batch Lay(std::span<const Window> windows) {
  const auto rows = static_cast<int64_t>(windows.size());
  const auto time = static_cast<int64_t>(windows.back().tokens.size()) - 1;
  model::Batch batch;
  batch.inputs = torch::zeros({rows, time}, torch::kInt64);
  batch.targets = torch::full({rows, time}, model::kIgnored, torch::kInt64);
  for (int64_t i = 0; i < rows; ++i) {
    const Window& w = windows[static_cast<size_t>(i)];
    int64_t* in = batch.inputs.data_ptr<int64_t>() + i * time;
    int64_t* out = batch.targets.data_ptr<int64_t>() + i * time;
    for (int64_t t = 0; t + 1 < static_cast<int64_t>(w.tokens.size()); ++t) {
      in[t] = w.tokens[static_cast<size_t>(t)];
      if (t + 1 >= w.first) out[t] = w.tokens[static_cast<size_t>(t + 1)];
    }
  }
  return batch;
}

}  // namespace

int Score(const Options& options, const std::atomic<bool>& stop) {
  const model::OpenedModel opened = OpenAsked(options);
  auto* language = dynamic_cast<model::LanguageModel*>(opened.model.get());
  if (language == nullptr || opened.tokenizer == nullptr) {
    throw Error(Code::kUnsupported, Cat("a ", opened.architecture->name, " predicts no text"));
  }
  Table config = Table::Parse(opened.about.config, "the model's configuration");
  const train::DataSettings data = train::ReadTrainSettings(config).data;
  const int64_t context = std::min<int64_t>(language->context(), 1024);
  const Texts texts = ReadTexts(opened, data, train::Records(options.at("input"), Given(options, "datasets")), context);

  const torch::NoGradGuard no_gradient;
  const auto n = static_cast<int64_t>(texts.windows.size());
  double nats = 0;
  for (int64_t at = 0; at < n;) {
    if (stop) throw Error(Code::kCancelled, "interrupted");
    int64_t end = std::min(at + kWindowBatch, n);
    const auto logits = [&] {
      return (end - at) * static_cast<int64_t>(texts.windows[static_cast<size_t>(end - 1)].tokens.size()) *
             opened.shape.vocabulary;
    };
    while (end > at + 1 && logits() > kMostLogits) end = at + (end - at) / 2;
    const model::Batch batch =
        Lay(std::span(texts.windows).subspan(static_cast<size_t>(at), static_cast<size_t>(end - at)));
    nats += language->ComputeLoss(batch, 0, {}).value.item<double>() * static_cast<double>(language->Count(batch, 0));
    Tell("step", {{"step", end}, {"steps", n}, {"values", Json::object()}});
    at = end;
  }
  Tell("done", {{"bits_per_character", nats / std::log(2.0) / static_cast<double>(texts.characters + texts.ends)},
                {"perplexity", std::exp(nats / static_cast<double>(texts.tokens))},
                {"records", texts.records},
                {"characters", texts.characters},
                {"tokens", texts.tokens},
                {"unknown", texts.unknown}});
  return 0;
}

}  // namespace atelier::learn
