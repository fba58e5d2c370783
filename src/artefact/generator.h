// The waist of the program: what everything after training sees of a model, whatever runs it (our engine, a LibTorch
// program, a server elsewhere).
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "artefact/calls.h"
#include "base/error.h"

namespace atelier::artefact {

// How the next token is drawn. Defaults change nothing: the model's own distribution.
struct Sampling {
  double temperature = 1.0;         // 0: always the likeliest token
  int top_k = 0;                    // keep the k likeliest; 0: all
  double top_p = 1.0;               // keep the smallest set with this mass (Holtzman et al. 2020); 1: all
  double min_p = 0.0;               // drop tokens below min_p times the likeliest (Nguyen et al. 2024); 0: off
  double repetition_penalty = 1.0;  // divides positive logits of tokens seen (Keskar et al. 2019); 1: off
  double presence_penalty = 0.0;    // subtracted once from tokens generated so far; 0: off
  double frequency_penalty = 0.0;   // subtracted per occurrence; 0: off
  int penalty_window = 256;         // how many last tokens the penalties look at
  std::vector<std::pair<int32_t, float>> logit_bias;  // token id, added to its logit
};

// What the text of a reply must be. A generator keeps to it or refuses, and never goes on without.
struct ConstraintSpec {
  enum class Kind { kNone, kJsonObject, kJsonSchema, kRegex, kChoice, kCalls };
  static constexpr size_t kMostChoices = 10000;
  Kind kind = Kind::kNone;
  std::string text;                  // kJsonSchema: the schema; kRegex: the pattern, which the whole reply matches
  std::vector<std::string> choices;  // kChoice: the reply is one of these
  CallSpec calls = {};  // kCalls: text, or calls of functions; control tokens that write them are part of the text
};

// A function whose parameters cannot be kept to.
class FunctionError : public Error {
 public:
  FunctionError(size_t function, const Error& why) : Error(why), function_(function) {}
  size_t function() const { return function_; }  // its place in CallSpec::functions

 private:
  size_t function_;
};

struct GenerateRequest {
  std::string prompt;                  // already rendered; control tokens in it are parsed when parse_special
  std::vector<int32_t> prompt_tokens;  // in its place, as they are; empty: none
  bool parse_special = false;
  bool add_bos = true;  // where the model wants it
  int max_tokens = 128;
  int samples = 1;  // decoded together over the one prompt; sample i draws from stream (seed, i)
  uint64_t seed = 0;
  Sampling sampling;
  std::vector<std::string> stop;  // generation ends before the first of these texts
  bool ignore_end = false;        // go on past the model's own end tokens (benchmarks)
  int logprobs = -1;              // per token: -1 none, 0 the chosen one, n also the n likeliest
  ConstraintSpec constraint;      // excludes `stop` and `ignore_end`; finish is kEnd only where the text satisfies it
  std::string owner;              // who waits for it (a key's id): owners get equal shares of a busy engine
};

enum class Finish { kEnd, kStop, kLength, kCancelled };
std::string_view Name(Finish finish);  // "end", "stop", "length", "cancelled"

struct TokenLogprob {
  int32_t token = 0;
  float logprob = 0;  // natural log, of the model's distribution before sampling changes it
  std::vector<std::pair<int32_t, float>> top;
};

struct Generated {
  std::string text;  // always valid UTF-8
  std::vector<int32_t> tokens;
  std::vector<TokenLogprob> logprobs;
  double sum_logprob = 0;  // of the chosen tokens
  Finish finish = Finish::kEnd;
  int32_t end_token = -1;  // the control token that ended it, where one did; not among `tokens`
};

struct GenerateResult {
  std::vector<Generated> samples;
  int prompt_tokens = 0;
  int cached_tokens = 0;  // of them, computed for an earlier request
  double queue_seconds = 0, prefill_seconds = 0, decode_seconds = 0;
};

// A request on its way. Letting go of the ticket does not stop it.
class Ticket {
 public:
  virtual ~Ticket() = default;
  // Ends the request at the next token: Finish::kCancelled. Any thread, any time, more than once.
  virtual void Cancel() = 0;
};

// Called once when a request ends: its result, or why there is none. Must not throw nor wait.
using DoneFn = std::function<void(GenerateResult result, std::exception_ptr error)>;

// How busy an engine is.
struct EngineLoad {
  int waiting = 0, running = 0;  // requests
  int64_t pages = 0, free_pages = 0, cached_pages = 0;
  int64_t passes = 0, prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;  // since the start
};

// What is certain of a reply since the piece before.
struct StreamPiece {
  std::string_view text;                   // valid UTF-8; empty only where tokens are told that gave no text
  std::span<const TokenLogprob> logprobs;  // of all tokens since then, where they were asked for
};
// Called with each piece; false stops that sample. The pieces together are the result's text and logprobs.
using StreamFn = std::function<bool(int sample, const StreamPiece& piece)>;

// How likely a continuation is after a prefix.
struct Scored {
  double sum_logprob = 0;
  int tokens = 0;
};

// Who made an output: stored with every generation, enough to make it again.
struct EngineInfo {
  std::string build, isa;
  int threads = 0;
};

struct ModelInfo {
  std::string name;          // as registered, or the file's own
  std::string architecture;  // "llama", "gemma3" ...
  std::string hash;          // sha256 of the weights, or "" when unknown
  std::string licence;
  int64_t parameters = 0;
  int context_length = 0;
  int vocabulary = 0;  // tokens
};

class Generator {
 public:
  virtual ~Generator() = default;
  virtual const ModelInfo& info() const = 0;
  virtual EngineInfo engine() const = 0;
  // The same request gives the same bytes on the same engine build, ISA and thread count, whatever else is running.
  // Throws kInvalidInput for a prompt longer than the context (saying both lengths).
  virtual GenerateResult Generate(const GenerateRequest& request, const StreamFn& stream = nullptr) = 0;
  // Puts a request beside those that run and returns at once. Both functions are called on a thread of the generator
  // and must not wait. Throws what Generate throws for a bad request, and kResourceExhausted where too many wait.
  // By default it has run by then.
  virtual std::shared_ptr<Ticket> Submit(GenerateRequest request, StreamFn stream, DoneFn done);
  // Throws what Submit would where too many wait, before anybody works on a prompt that cannot be taken.
  virtual void CheckRoom() const {}
  virtual EngineLoad Load() const { return {}; }
  // One entry per continuation; the prefix is computed once. BOS where the model wants it. Control tokens in the prefix
  // are parsed when `parse_special`, in continuations never.
  virtual std::vector<Scored> Score(std::string_view prefix, const std::vector<std::string>& continuations,
                                    bool parse_special = false) = 0;
  // The model's chat template, or "" where it has none. Some models have another one for when tools are offered.
  virtual std::string ChatTemplate(bool /*tools*/ = false) const { return ""; }
  // Texts of the tokens that chat templates name: "bos_token", "eos_token" ... and their text.
  virtual std::vector<std::pair<std::string, std::string>> SpecialTokens() const { return {}; }

  // For measures that are defined on tokens (perplexity). BOS where `add_special` and the model wants it.
  virtual std::vector<int32_t> Tokenize(std::string_view text, bool add_special) const = 0;
  // The bytes that a token stands for; they may be a part of a character. "" for control tokens and unknown ids.
  virtual std::string Piece(int32_t) const { return ""; }
  virtual int32_t bos() const = 0;  // -1: none
  virtual bool wants_bos() const = 0;
  // log p(tokens[i] | tokens[0..i)) for i in [first, size), in order. REQUIRES: first >= 1.
  virtual std::vector<float> Logprobs(std::span<const int32_t> tokens, size_t first) = 0;
  // log p(. | tokens[0..i)) over the whole vocabulary for i in [first, size]: see(i, logprobs), from any thread,
  // several at a time and in any order; must not throw. REQUIRES: first >= 1. Throws kUnsupported where a model cannot.
  using DistributionFn = std::function<void(size_t i, std::span<const float> logprobs)>;
  virtual void Distributions(std::span<const int32_t> tokens, size_t first, const DistributionFn& see);
};

// Runs requests beside each other; results in their order. `stream` sees all of them and may throw: that ends them, and
// what it threw, or the first error of a request, comes out when all have ended.
std::vector<GenerateResult> GenerateAll(Generator& model, const std::vector<GenerateRequest>& requests,
                                        const StreamFn& stream = nullptr);

// Finds or loads a model by its registered name or path; the same object for the same name.
using ModelProvider = std::function<std::shared_ptr<Generator>(const std::string& name)>;

}  // namespace atelier::artefact
