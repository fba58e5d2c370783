#include "runtime/local_generator.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "kernel/select.h"
#include "runtime/constraint/compiler.h"
#include "runtime/model_info.h"
#include "runtime/sampler.h"
#include "runtime/vocabulary.h"

namespace atelier::runtime {
namespace {

using artefact::GenerateRequest;
using artefact::GenerateResult;

// What a file becomes; a model and its adapted forms share it.
struct Loaded {
  Loaded(const std::string& path, const EngineOptions& options) : file(artefact::GgufFile::Open(path)) {
    if (artefact::IsAdapter(*file)) {
      throw Error(Code::kUnsupported, Cat(path, ": is an adapter, which says nothing without its model"),
                  "name both: MODEL+ADAPTER");
    }
    file->RequireSupportedTypes();
    DecoderSpec spec = ReadSpec(*file);
    tokenizer = TokenizerFromGguf(*file, spec.vocab);
    constraints = std::make_unique<ConstraintCompiler>(*tokenizer);
    spaces_texts = SpacesTexts(*file);
    chat_template = std::string(file->StringOr("tokenizer.chat_template", ""));
    tool_template = std::string(file->StringOr("tokenizer.chat_template.tool_use", chat_template));
    auto pool = std::make_unique<ThreadPool>(options.threads > 0 ? options.threads : ThreadPool::DefaultThreads());
    DecoderWeights weights = LoadWeights(file, spec, pool.get());
    engine = std::make_unique<Engine>(std::make_unique<Decoder>(std::move(spec), std::move(weights),
                                                                kernel::BestTable(), std::move(pool), options.kv_bytes),
                                      tokenizer.get(), options.limits);
  }

  std::shared_ptr<const artefact::GgufFile> file;
  std::string chat_template, tool_template;
  bool spaces_texts = false;  // the tokenizer puts a space before every text
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<ConstraintCompiler> constraints;
  std::unique_ptr<Engine> engine;  // last: its thread uses what stands above
};

class LocalGenerator : public artefact::Generator {
 public:
  LocalGenerator(std::shared_ptr<Loaded> loaded, artefact::ModelInfo info,
                 std::shared_ptr<const AdapterWeights> adapter = nullptr)
      : loaded_(std::move(loaded)),
        adapter_(std::move(adapter)),
        info_(std::move(info)),
        tokenizer_(loaded_->tokenizer.get()),
        engine_(loaded_->engine.get()) {}

  const std::shared_ptr<Loaded>& loaded() const { return loaded_; }
  bool adapted() const { return adapter_ != nullptr; }
  const artefact::ModelInfo& info() const override { return info_; }
  artefact::EngineInfo engine() const override {
    return {EngineBuild(), std::string(engine_->decoder().kernels().name), engine_->decoder().threads()->size()};
  }
  std::string ChatTemplate(bool tools) const override {
    return tools ? loaded_->tool_template : loaded_->chat_template;
  }
  std::vector<std::pair<std::string, std::string>> SpecialTokens() const override {
    std::vector<std::pair<std::string, std::string>> out;
    if (tokenizer_->bos() >= 0) out.emplace_back("bos_token", tokenizer_->Piece(tokenizer_->bos(), true));
    if (tokenizer_->eos() >= 0) out.emplace_back("eos_token", tokenizer_->Piece(tokenizer_->eos(), true));
    return out;
  }
  std::vector<int32_t> Tokenize(std::string_view text, bool add_special) const override {
    return tokenizer_->Encode(text, {.add_special = add_special});
  }
  std::string Piece(int32_t token) const override { return tokenizer_->Piece(token); }
  int32_t bos() const override { return tokenizer_->bos(); }
  bool wants_bos() const override { return tokenizer_->adds_bos(); }

  GenerateResult Generate(const GenerateRequest& request, const artefact::StreamFn& stream) override;
  std::shared_ptr<artefact::Ticket> Submit(GenerateRequest request, artefact::StreamFn stream,
                                           artefact::DoneFn done) override;
  void CheckRoom() const override { engine_->CheckRoom(); }
  artefact::EngineLoad Load() const override { return engine_->load(); }
  std::vector<artefact::Scored> Score(std::string_view prefix, const std::vector<std::string>& continuations,
                                      bool parse_special) override;
  std::vector<float> Logprobs(std::span<const int32_t> tokens, size_t first) override;
  void Distributions(std::span<const int32_t> tokens, size_t first, const DistributionFn& see) override;

 private:
  const DecoderSpec& spec() const { return engine_->decoder().spec(); }
  std::vector<int32_t> PromptTokens(std::string_view prompt, bool add_bos, bool parse_special) const;
  // Tokens of a text that goes on after `prefix`.
  std::vector<int32_t> ContinuationTokens(std::string_view prefix, const std::string& text, bool parse_special) const;
  float Logprob(const float* logits, int32_t token) const {
    float greatest, log_sum;
    engine_->decoder().kernels().log_sum_exp(logits, spec().vocab, &greatest, &log_sum);
    return logits[token] - greatest - log_sum;
  }

  const std::shared_ptr<Loaded> loaded_;
  const std::shared_ptr<const AdapterWeights> adapter_;  // null: none
  const artefact::ModelInfo info_;
  text::Tokenizer* const tokenizer_;  // loaded_'s, as the engine
  Engine* const engine_;
};

std::vector<int32_t> LocalGenerator::PromptTokens(std::string_view prompt, bool add_bos, bool parse_special) const {
  std::vector<int32_t> tokens = tokenizer_->Encode(prompt, {.add_special = false, .parse_special = parse_special});
  if (add_bos && tokenizer_->adds_bos() && (tokens.empty() || tokens[0] != tokenizer_->bos())) {
    tokens.insert(tokens.begin(), tokenizer_->bos());
  }
  if (tokens.empty() && tokenizer_->bos() >= 0) tokens.push_back(tokenizer_->bos());  // something must come first
  if (tokens.empty()) throw Error(Code::kInvalidInput, "the prompt is empty and the model has no beginning token");
  return tokens;
}

std::vector<int32_t> LocalGenerator::ContinuationTokens(std::string_view prefix, const std::string& text,
                                                        bool parse_special) const {
  if (loaded_->spaces_texts && !prefix.empty()) {  // alone, the text would get a space of its own
    if (auto tokens = tokenizer_->EncodeBehind(prefix, text, {.parse_special = parse_special})) return *tokens;
  }
  return tokenizer_->Encode(text);
}

std::shared_ptr<artefact::Ticket> LocalGenerator::Submit(GenerateRequest request, artefact::StreamFn stream,
                                                         artefact::DoneFn done) {
  Validate(request.sampling, spec().vocab);
  if (request.samples < 1 || request.samples > 256) {
    throw Error(Code::kInvalidInput, Cat("samples is ", request.samples), "from 1 to 256");
  }
  if (request.max_tokens < 0) throw Error(Code::kInvalidInput, Cat("max_tokens is ", request.max_tokens));
  std::shared_ptr<const Constraint> constraint = loaded_->constraints->For(request);
  std::vector<int32_t> prompt = request.prompt_tokens;
  for (const int32_t token : prompt) {
    if (token < 0 || token >= spec().vocab) {
      throw Error(Code::kInvalidInput, Cat("token ", token, " is outside the vocabulary of ", spec().vocab));
    }
  }
  if (prompt.empty()) prompt = PromptTokens(request.prompt, request.add_bos, request.parse_special);
  if (static_cast<int64_t>(prompt.size()) > spec().context) {
    throw Error(Code::kInvalidInput,
                Cat("the prompt has ", prompt.size(), " tokens, the model's context holds ", spec().context),
                "shorten the prompt");
  }
  return engine_->Submit(std::move(prompt), std::move(constraint), adapter_, std::move(request), std::move(stream),
                         std::move(done));
}

GenerateResult LocalGenerator::Generate(const GenerateRequest& request, const artefact::StreamFn& stream) {
  return std::move(artefact::GenerateAll(*this, {request}, stream)[0]);
}

// Many short continuations make one long pass: each is a chunk that starts with the prompt's last token. Replies that
// run meanwhile get their turn between two passes.
std::vector<artefact::Scored> LocalGenerator::Score(std::string_view prefix,
                                                    const std::vector<std::string>& continuations, bool parse_special) {
  constexpr size_t kTokensPerPass = 512;
  const std::vector<int32_t> prompt = PromptTokens(prefix, true, parse_special);
  std::vector<artefact::Scored> out(continuations.size());
  for (size_t begin = 0; begin < continuations.size();) {
    std::vector<std::vector<int32_t>> tokens;
    size_t total = 0, end = begin;
    while (end < continuations.size() && (end == begin || total < kTokensPerPass)) {
      std::vector<int32_t> ids = ContinuationTokens(prefix, continuations[end], parse_special);
      ids.insert(ids.begin(), prompt.back());
      total += ids.size();
      tokens.push_back(std::move(ids));
      ++end;
    }
    std::vector<std::vector<float>> logprobs(tokens.size());
    std::vector<size_t> of_chunk;
    for (size_t i = 0; i < tokens.size(); ++i) {
      logprobs[i].resize(tokens[i].size() - 1);
      if (tokens[i].size() > 1) of_chunk.push_back(i);
    }
    engine_->Between([&] {
      std::vector<Sequence> sequences(tokens.size(), engine_->Prefill(prompt, adapter_.get()));
      std::vector<Chunk> chunks;
      for (size_t i : of_chunk)
        chunks.push_back({&sequences[i], {tokens[i].data(), tokens[i].size() - 1}, 0, adapter_.get()});
      engine_->Forward(chunks, [&](size_t chunk, size_t token, float* logits) {
        const size_t i = of_chunk[chunk];
        logprobs[i][token] = Logprob(logits, tokens[i][token + 1]);
      });
    });
    for (size_t i = 0; i < tokens.size(); ++i) {
      for (float value : logprobs[i]) out[begin + i].sum_logprob += value;
      out[begin + i].tokens = static_cast<int>(logprobs[i].size());
    }
    begin = end;
  }
  return out;
}

std::vector<float> LocalGenerator::Logprobs(std::span<const int32_t> tokens, size_t first) {
  if (tokens.size() <= first) return {};
  if (const int32_t last = tokens.back(); last < 0 || last >= spec().vocab) {  // Forward sees all but this one
    throw Error(Code::kInvalidInput, Cat("token ", last, " is outside the vocabulary of ", spec().vocab));
  }
  std::vector<float> out(tokens.size() - first);
  engine_->Between([&] {
    Sequence sequence;
    const Chunk chunk{&sequence, tokens.first(tokens.size() - 1), first - 1, adapter_.get()};
    engine_->Forward({&chunk, 1}, [&](size_t, size_t token, float* logits) {
      out[token + 1 - first] = Logprob(logits, tokens[token + 1]);
    });
  });
  return out;
}

void LocalGenerator::Distributions(std::span<const int32_t> tokens, size_t first, const DistributionFn& see) {
  if (tokens.size() < first) return;
  const auto words = static_cast<size_t>(spec().vocab);
  engine_->Between([&] {
    Sequence sequence;
    const Chunk chunk{&sequence, tokens, first - 1, adapter_.get()};
    engine_->Forward({&chunk, 1}, [&](size_t, size_t token, float* logits) {
      float greatest, log_sum;
      engine_->decoder().kernels().log_sum_exp(logits, spec().vocab, &greatest, &log_sum);
      for (size_t t = 0; t < words; ++t) logits[t] -= greatest + log_sum;
      see(token + 1, {logits, words});
    });
  });
}

}  // namespace

std::shared_ptr<artefact::Generator> LoadGenerator(const std::string& path, const std::string& name,
                                                   const std::string& hash, const EngineOptions& options) {
  auto loaded = std::make_shared<Loaded>(path, options);
  artefact::ModelInfo info = ModelInfoOf(*loaded->file, name, hash, loaded->engine->decoder().spec());
  return std::make_shared<LocalGenerator>(std::move(loaded), std::move(info));
}

std::shared_ptr<artefact::Generator> WithAdapter(const std::shared_ptr<artefact::Generator>& model,
                                                 const artefact::Adapter& adapter, const std::string& name,
                                                 const std::string& hash) {
  const auto* base = dynamic_cast<const LocalGenerator*>(model.get());
  if (base == nullptr || base->adapted()) {
    throw Error(Code::kUnsupported, Cat("the model ", Quote(model->info().name), " takes no adapter",
                                        base == nullptr ? "" : " beside the one that it has"));
  }
  artefact::ModelInfo info = base->info();
  info.name = name;
  info.hash = hash;
  if (!adapter.licence.empty() && ToLowerAscii(adapter.licence) != ToLowerAscii(info.licence)) {
    info.licence += Cat(info.licence.empty() ? "" : " and ", adapter.licence);
  }
  for (const artefact::LoraPair& pair : adapter.pairs)
    info.parameters += static_cast<int64_t>(pair.a.size() + pair.b.size());
  const Decoder& decoder = base->loaded()->engine->decoder();
  return std::make_shared<LocalGenerator>(base->loaded(), std::move(info),
                                          PackAdapter(adapter, *base->loaded()->file, decoder.spec()));
}

std::shared_ptr<artefact::Generator> WithAdapter(const std::shared_ptr<artefact::Generator>& model,
                                                 const artefact::ModelEntry& entry) {
  return WithAdapter(model, artefact::ReadAdapterGguf(entry.adapter->path), entry.name, entry.manifest.sha256);
}

std::shared_ptr<artefact::Generator> LoadModel(const artefact::ModelEntry& entry, const EngineOptions& options) {
  if (!entry.adapter) return LoadGenerator(entry.path, entry.name, entry.manifest.sha256, options);
  return WithAdapter(LoadGenerator(entry.path, entry.adapter->model, entry.adapter->model_sha256, options), entry);
}

}  // namespace atelier::runtime
