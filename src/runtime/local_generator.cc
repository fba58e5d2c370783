#include "runtime/local_generator.h"

#include <algorithm>
#include <list>

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"
#include "kernel/select.h"
#include "runtime/constraint/compiler.h"
#include "runtime/decoder.h"
#include "runtime/sampler.h"
#include "runtime/stop_text.h"
#include "runtime/vocabulary.h"

namespace atelier::runtime {
namespace {

using artefact::Finish;
using artefact::Generated;
using artefact::GenerateRequest;
using artefact::GenerateResult;

// Prompts computed a while ago, so that the next one with the same beginning starts where they part.
class PrefixCache {
 public:
  static constexpr size_t kMost = 4;

  // A fork of the cached sequence that shares the longest prefix with `tokens`, cut to it; at least one token is left
  // to compute, since somebody wants logits.
  Sequence Start(const std::vector<int32_t>& tokens) {
    auto best = entries_.end();
    size_t most = 0;
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      const size_t limit = std::min(it->tokens.size(), tokens.size() - 1);
      size_t same = 0;
      while (same < limit && it->tokens[same] == tokens[same]) ++same;
      if (same > most) {
        most = same;
        best = it;
      }
    }
    if (best == entries_.end()) return {};
    entries_.splice(entries_.begin(), entries_, best);
    Sequence fork = entries_.front().sequence;
    fork.Truncate(static_cast<int64_t>(most));
    return fork;
  }
  void Keep(std::vector<int32_t> tokens, Sequence sequence) {
    // What the new one begins with it can serve too.
    entries_.remove_if([&](const Entry& entry) {
      return entry.tokens.size() <= tokens.size() &&
             std::equal(entry.tokens.begin(), entry.tokens.end(), tokens.begin());
    });
    entries_.push_front({std::move(tokens), std::move(sequence)});
    if (entries_.size() > kMost) entries_.pop_back();
  }
  void Clear() { entries_.clear(); }

 private:
  struct Entry {
    std::vector<int32_t> tokens;
    Sequence sequence;
  };
  std::list<Entry> entries_;
};

class LocalGenerator : public artefact::Generator {
 public:
  LocalGenerator(const std::string& path, const std::string& name, const std::string& hash,
                 const EngineOptions& options) {
    auto file = artefact::GgufFile::Open(path);
    file->RequireSupportedTypes();
    DecoderSpec spec = ReadSpec(*file);
    tokenizer_ = TokenizerFromGguf(*file);
    if (tokenizer_->vocab_size() != spec.vocab) {
      throw Error(Code::kCorrupt,
                  Cat(path, ": the tokenizer has ", tokenizer_->vocab_size(), " tokens, the embedding ", spec.vocab));
    }
    constraints_ = std::make_unique<ConstraintCompiler>(*tokenizer_);
    spaces_texts_ = file->String("tokenizer.ggml.model") == "llama" && SpecFromGguf(*file).add_space_prefix;
    info_.name = name.empty() ? std::string(file->StringOr("general.name", path)) : name;
    info_.architecture = spec.architecture;
    info_.hash = hash;
    info_.licence = std::string(file->StringOr("general.license", ""));
    info_.context_length = static_cast<int>(spec.context);
    for (const artefact::TensorInfo& tensor : file->tensors()) info_.parameters += tensor.elements();
    chat_template_ = std::string(file->StringOr("tokenizer.chat_template", ""));
    auto pool = std::make_unique<ThreadPool>(options.threads > 0 ? options.threads : ThreadPool::DefaultThreads());
    DecoderWeights weights = LoadWeights(file, spec, pool.get());
    decoder_ = std::make_unique<Decoder>(std::move(spec), std::move(weights), kernel::BestTable(), std::move(pool),
                                         options.kv_bytes);
  }

  const artefact::ModelInfo& info() const override { return info_; }
  artefact::EngineInfo engine() const override {
    return {EngineBuild(), std::string(decoder_->kernels().name), decoder_->threads()->size()};
  }
  std::string ChatTemplate() const override { return chat_template_; }
  std::vector<std::pair<std::string, std::string>> SpecialTokens() const override {
    std::vector<std::pair<std::string, std::string>> out;
    if (tokenizer_->bos() >= 0) out.emplace_back("bos_token", tokenizer_->Piece(tokenizer_->bos(), true));
    if (tokenizer_->eos() >= 0) out.emplace_back("eos_token", tokenizer_->Piece(tokenizer_->eos(), true));
    return out;
  }
  std::vector<int32_t> Tokenize(std::string_view text, bool add_special) const override {
    return tokenizer_->Encode(text, {.add_special = add_special});
  }
  int32_t bos() const override { return tokenizer_->bos(); }
  bool wants_bos() const override { return tokenizer_->adds_bos(); }

  GenerateResult Generate(const GenerateRequest& request, const artefact::StreamFn& stream) override;
  std::vector<artefact::Scored> Score(std::string_view prefix, const std::vector<std::string>& continuations) override;
  std::vector<float> Logprobs(std::span<const int32_t> tokens, size_t first) override;

 private:
  struct Reply;
  std::vector<int32_t> PromptTokens(std::string_view prompt, bool add_bos, bool parse_special) const;
  // Tokens of a text that goes on after `prefix`.
  std::vector<int32_t> ContinuationTokens(std::string_view prefix, const std::string& text) const;
  // The prompt's sequence, all but its last token computed: the last one is computed with whatever follows.
  Sequence Prefill(const std::vector<int32_t>& prompt);
  void Forward(std::span<const Chunk> chunks, const LogitsFn& on_logits);
  float Logprob(const float* logits, int32_t token) const {
    float greatest, log_sum;
    decoder_->kernels().log_sum_exp(logits, decoder_->spec().vocab, &greatest, &log_sum);
    return logits[token] - greatest - log_sum;
  }

  artefact::ModelInfo info_;
  std::string chat_template_;
  bool spaces_texts_ = false;  // the tokenizer puts a space before every text
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::unique_ptr<ConstraintCompiler> constraints_;
  std::unique_ptr<Decoder> decoder_;
  PrefixCache prefixes_;  // after decoder_: its sequences live in the decoder's pages
};

// One sample on its way.
struct LocalGenerator::Reply {
  Sequence sequence;
  Sampler sampler;
  StopText stop;
  std::optional<Matcher> matcher;
  TokenMask mask;
  std::vector<int32_t> context;  // prompt and reply
  size_t prompt = 0;
  Generated out;
  int32_t next = -1;
  artefact::TokenLogprob logprob;
  bool done = false;
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

std::vector<int32_t> LocalGenerator::ContinuationTokens(std::string_view prefix, const std::string& text) const {
  if (spaces_texts_ && !prefix.empty()) {  // alone, the text would get a space of its own
    const std::vector<int32_t> before = tokenizer_->Encode(prefix);
    std::vector<int32_t> all = tokenizer_->Encode(Cat(prefix, text));
    if (all.size() >= before.size() && std::equal(before.begin(), before.end(), all.begin())) {
      all.erase(all.begin(), all.begin() + static_cast<int64_t>(before.size()));
      return all;
    }
  }
  return tokenizer_->Encode(text);
}

void LocalGenerator::Forward(std::span<const Chunk> chunks, const LogitsFn& on_logits) {
  try {
    decoder_->Forward(chunks, on_logits);
  } catch (const Error& error) {
    if (error.code() != Code::kResourceExhausted) throw;
    prefixes_.Clear();  // the cache of old prompts is the first to go
    decoder_->Forward(chunks, on_logits);
  }
}

Sequence LocalGenerator::Prefill(const std::vector<int32_t>& prompt) {
  Sequence sequence = prefixes_.Start(prompt);
  const auto from = static_cast<size_t>(sequence.length());
  const std::span<const int32_t> rest(prompt.data() + from, prompt.size() - 1 - from);
  if (!rest.empty()) {
    const Chunk chunk{&sequence, rest, rest.size()};
    Forward({&chunk, 1}, nullptr);
  }
  if (prompt.size() > 1) prefixes_.Keep(std::vector<int32_t>(prompt.begin(), prompt.end() - 1), sequence);
  return sequence;
}

GenerateResult LocalGenerator::Generate(const GenerateRequest& request, const artefact::StreamFn& stream) {
  const DecoderSpec& spec = decoder_->spec();
  Validate(request.sampling, spec.vocab);
  if (request.samples < 1 || request.samples > 256) {
    throw Error(Code::kInvalidInput, Cat("samples is ", request.samples), "from 1 to 256");
  }
  if (request.max_tokens < 0) throw Error(Code::kInvalidInput, Cat("max_tokens is ", request.max_tokens));
  const std::shared_ptr<const Constraint> constraint = constraints_->For(request);
  const std::vector<int32_t> prompt = PromptTokens(request.prompt, request.add_bos, request.parse_special);
  const auto prompt_size = static_cast<int64_t>(prompt.size());
  if (prompt_size > spec.context) {
    throw Error(Code::kInvalidInput,
                Cat("the prompt has ", prompt_size, " tokens, the model's context holds ", spec.context),
                "shorten the prompt");
  }
  GenerateResult result;
  result.prompt_tokens = static_cast<int>(prompt_size);
  const double started = MonotonicSeconds();
  const Sequence start = Prefill(prompt);
  result.prefill_seconds = MonotonicSeconds() - started;

  std::vector<Reply> replies;
  for (int i = 0; i < request.samples; ++i) {
    Reply reply{start,
                Sampler(request.sampling, request.seed, i, spec.vocab, decoder_->kernels()),
                StopText(request.stop),
                constraint == nullptr ? std::nullopt : std::optional<Matcher>(constraint),
                {},
                prompt,
                prompt.size(),
                {},
                prompt.back(),
                {},
                request.max_tokens == 0};
    reply.out.finish = Finish::kLength;
    replies.push_back(std::move(reply));
  }
  const int64_t most = std::min<int64_t>(request.max_tokens, spec.context - prompt_size + 1);
  std::vector<Chunk> chunks;
  std::vector<size_t> active;
  for (int64_t step = 0; step < most; ++step) {
    chunks.clear();
    active.clear();
    for (size_t i = 0; i < replies.size(); ++i) {
      if (replies[i].done) continue;
      if (replies[i].sequence.length() + 1 > spec.context) continue;
      if (replies[i].matcher) replies[i].matcher->Mask(&replies[i].mask);
      chunks.push_back({&replies[i].sequence, {&replies[i].next, 1}, 0});
      active.push_back(i);
    }
    if (chunks.empty()) break;
    Forward(chunks, [&](size_t chunk, size_t, float* logits) {
      Reply& reply = replies[active[chunk]];
      artefact::TokenLogprob* logprob = &reply.logprob;
      reply.next = reply.sampler.Pick(logits, reply.context, reply.context.size() - reply.prompt,
                                      std::max(request.logprobs, 0), logprob, reply.matcher ? &reply.mask : nullptr);
    });
    for (size_t i : active) {
      Reply& reply = replies[i];
      if (!request.ignore_end && tokenizer_->EndsGeneration(reply.next)) {
        reply.done = true;
        reply.out.finish = Finish::kEnd;
        continue;
      }
      if (reply.matcher && !reply.matcher->Accept(reply.next)) {
        throw Error(Code::kInternal, Cat("token ", reply.next, " was drawn against the constraint"));
      }
      reply.context.push_back(reply.next);
      reply.out.tokens.push_back(reply.next);
      reply.out.sum_logprob += reply.logprob.logprob;
      if (request.logprobs >= 0) reply.out.logprobs.push_back(reply.logprob);
      const std::string piece = reply.stop.Append(tokenizer_->Piece(reply.next));
      reply.out.text += piece;
      if (reply.stop.stopped()) {
        reply.done = true;
        reply.out.finish = Finish::kStop;
      }
      if (reply.matcher && !reply.matcher->CanContinue()) {
        reply.done = true;
        reply.out.finish = Finish::kEnd;
      }
      if (!piece.empty() && stream && !stream(static_cast<int>(i), piece)) {
        reply.done = true;
        reply.out.finish = Finish::kCancelled;
      }
    }
  }
  for (size_t i = 0; i < replies.size(); ++i) {
    const std::string rest = replies[i].stop.Finish();
    replies[i].out.text += rest;
    if (replies[i].stop.stopped() && replies[i].out.finish != Finish::kCancelled) replies[i].out.finish = Finish::kStop;
    if (!rest.empty() && stream && replies[i].out.finish != Finish::kCancelled) stream(static_cast<int>(i), rest);
    result.samples.push_back(std::move(replies[i].out));
  }
  result.decode_seconds = MonotonicSeconds() - started - result.prefill_seconds;
  return result;
}

std::vector<artefact::Scored> LocalGenerator::Score(std::string_view prefix,
                                                    const std::vector<std::string>& continuations) {
  const std::vector<int32_t> prompt = PromptTokens(prefix, true, false);
  const Sequence start = Prefill(prompt);
  std::vector<artefact::Scored> out(continuations.size());
  // Many short continuations make one long pass: each is a chunk that starts with the prompt's last token.
  constexpr size_t kTokensPerPass = 512;
  for (size_t begin = 0; begin < continuations.size();) {
    std::vector<std::vector<int32_t>> tokens;
    size_t total = 0, end = begin;
    while (end < continuations.size() && (end == begin || total < kTokensPerPass)) {
      std::vector<int32_t> ids = ContinuationTokens(prefix, continuations[end]);
      ids.insert(ids.begin(), prompt.back());
      total += ids.size();
      tokens.push_back(std::move(ids));
      ++end;
    }
    std::vector<Sequence> sequences(tokens.size(), start);
    std::vector<Chunk> chunks;
    std::vector<std::vector<float>> logprobs(tokens.size());
    for (size_t i = 0; i < tokens.size(); ++i) {
      logprobs[i].resize(tokens[i].size() - 1);
      if (tokens[i].size() > 1) chunks.push_back({&sequences[i], {tokens[i].data(), tokens[i].size() - 1}, 0});
    }
    std::vector<size_t> of_chunk;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].size() > 1) of_chunk.push_back(i);
    }
    Forward(chunks, [&](size_t chunk, size_t token, float* logits) {
      const size_t i = of_chunk[chunk];
      logprobs[i][token] = Logprob(logits, tokens[i][token + 1]);
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
  if (const int32_t last = tokens.back();
      last < 0 || last >= decoder_->spec().vocab) {  // Forward sees all but this one
    throw Error(Code::kInvalidInput, Cat("token ", last, " is outside the vocabulary of ", decoder_->spec().vocab));
  }
  std::vector<float> out(tokens.size() - first);
  Sequence sequence;
  const Chunk chunk{&sequence, tokens.first(tokens.size() - 1), first - 1};
  Forward({&chunk, 1},
          [&](size_t, size_t token, float* logits) { out[token + 1 - first] = Logprob(logits, tokens[token + 1]); });
  return out;
}

}  // namespace

std::shared_ptr<artefact::Generator> LoadGenerator(const std::string& path, const std::string& name,
                                                   const std::string& hash, const EngineOptions& options) {
  return std::make_shared<LocalGenerator>(path, name, hash, options);
}

}  // namespace atelier::runtime
