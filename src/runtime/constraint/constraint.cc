#include "runtime/constraint/constraint.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/error.h"
#include "base/str.h"
#include "runtime/constraint/call_grammar.h"
#include "runtime/constraint/json_grammar.h"
#include "runtime/constraint/regex.h"
#include "runtime/constraint/schema.h"
#include "text/unicode.h"

namespace atelier::runtime {

class Constraint {
 public:
  Constraint(std::unique_ptr<Grammar> grammar, std::shared_ptr<const TokenIndex> tokens)
      : grammar_(std::move(grammar)), tokens_(std::move(tokens)), masks_(*grammar_, *tokens_) {
    Count();
  }

  const TokenIndex& tokens() const { return *tokens_; }
  std::mutex& mutex() const { return mutex_; }

  // The stacks that new matchers share; when they have grown large, fresh ones, and the old go with their matchers.
  // REQUIRES (also below): the mutex is held.
  std::shared_ptr<Stacks> StacksForNew() const {
    if (stacks_ == nullptr || stacks_->size() > Stacks::kMostCells) stacks_ = std::make_shared<Stacks>(*grammar_);
    return stacks_;
  }
  Masks& MasksFor(const std::shared_ptr<Stacks>& stacks) const {
    if (const auto before = masked_.lock(); before != stacks) masks_.Forget();
    masked_ = stacks;
    if (++masks_since_ >= 32) Count();  // a look at every automaton
    return masks_;
  }
  size_t bytes() const { return bytes_.load(); }

 private:
  void Count() const {
    size_t bytes = grammar_->nodes.size() * sizeof(Grammar::Node) + masks_.bytes();
    for (const auto& automaton : grammar_->automata) bytes += automaton->shared() ? 0 : automaton->bytes();
    if (stacks_ != nullptr) bytes += stacks_->bytes();
    bytes_.store(bytes);
    masks_since_ = 0;
  }

  std::unique_ptr<Grammar> grammar_;
  std::shared_ptr<const TokenIndex> tokens_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<Stacks> stacks_;
  mutable std::weak_ptr<Stacks> masked_;  // whose positions the masks know
  mutable Masks masks_;
  mutable int masks_since_ = 0;  // the last count
  mutable std::atomic<size_t> bytes_{0};
};

size_t BytesOf(const Constraint& constraint) { return constraint.bytes(); }

namespace {

constexpr size_t kMostBytes = size_t{1} << 20;

void CompileRegex(const std::string& pattern, Grammar* grammar) {
  Regulars regulars;
  CharDfa dfa = BuildDfa(&regulars, ParseRegex(&regulars, pattern, {.anchored = true}));
  if (dfa.empty()) throw Error(Code::kUnsupported, Cat("no text matches the pattern ", Quote(pattern)));
  grammar->Finish(
      grammar->Lexeme(std::make_shared<EncodedAutomaton>(std::move(dfa), EncodedAutomaton::Writing::kPlain)));
}

void CompileChoice(const std::vector<std::string>& choices, Grammar* grammar) {
  if (choices.empty()) throw Error(Code::kInvalidInput, "there is no choice");
  if (choices.size() > artefact::ConstraintSpec::kMostChoices) {
    throw Error(Code::kResourceExhausted, Cat(choices.size(), " choices"),
                Cat("at most ", artefact::ConstraintSpec::kMostChoices));
  }
  size_t bytes = 0;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (!text::IsValidUtf8(choices[i])) throw Error(Code::kInvalidInput, Cat("choice ", i + 1, " is not UTF-8"));
    bytes += choices[i].size();
  }
  if (bytes > kMostBytes) throw Error(Code::kResourceExhausted, "the choices have more than 1 MiB together");
  grammar->Finish(grammar->Lexeme(std::make_shared<LiteralAutomaton>(choices)));
}

}  // namespace

std::unique_ptr<Grammar> CompileGrammar(const artefact::ConstraintSpec& spec, const TokenIndex* tokens) {
  using Kind = artefact::ConstraintSpec::Kind;
  auto grammar = std::make_unique<Grammar>();
  SchemaCosts costs;
  switch (spec.kind) {
    case Kind::kNone: throw Error(Code::kInternal, "no constraint to compile");
    case Kind::kJsonObject: grammar->Finish(AddAnyJson(grammar.get()).object); break;
    case Kind::kJsonSchema:
      if (spec.text.size() > kMostBytes) throw Error(Code::kResourceExhausted, "the schema has more than 1 MiB");
      CompileSchema(ParseJson(spec.text, "the schema"), grammar.get(), &costs);
      break;
    case Kind::kRegex: CompileRegex(spec.text, grammar.get()); break;
    case Kind::kChoice: CompileChoice(spec.choices, grammar.get()); break;
    case Kind::kCalls: {
      if (tokens == nullptr) throw Error(Code::kInternal, "calls are held to a model's own tokens");
      size_t bytes = 0;
      for (const auto& function : spec.calls.functions) bytes += function.parameters.size();
      if (bytes > kMostBytes) throw Error(Code::kResourceExhausted, "the functions' schemas have more than 1 MiB");
      CompileCalls(spec.calls, *tokens, grammar.get());
      break;
    }
  }
  return grammar;
}

std::shared_ptr<const Constraint> Compile(const artefact::ConstraintSpec& spec,
                                          std::shared_ptr<const TokenIndex> tokens) {
  return std::make_shared<Constraint>(CompileGrammar(spec, tokens.get()), std::move(tokens));
}

Matcher::Matcher(std::shared_ptr<const Constraint> constraint) : constraint_(std::move(constraint)) {
  const std::lock_guard lock(constraint_->mutex());
  stacks_ = constraint_->StacksForNew();
  at_ = stacks_->Start();
}

void Matcher::Mask(TokenMask* out) const {
  {
    const std::lock_guard lock(constraint_->mutex());
    constraint_->MasksFor(stacks_).Compute(stacks_.get(), at_, out);
  }
  if (Complete()) {
    for (int32_t end : constraint_->tokens().ends()) {
      out->bits[static_cast<size_t>(end) / 64] |= uint64_t{1} << (end % 64);
      ++out->count;
    }
  } else if (out->count == 0) {
    throw Error(Code::kInternal, "no token of the vocabulary keeps to the constraint");
  }
}

bool Matcher::Accept(int32_t token) {
  const TokenIndex& tokens = constraint_->tokens();
  if (token < 0 || token >= tokens.vocab()) return false;
  if (tokens.bytes(token).empty()) {
    return Complete() && std::find(tokens.ends().begin(), tokens.ends().end(), token) != tokens.ends().end();
  }
  return AcceptText(tokens.bytes(token));
}

bool Matcher::AcceptText(std::string_view bytes) {
  const std::lock_guard lock(constraint_->mutex());
  std::vector<StackId> at = at_;
  for (char c : bytes) {
    at = stacks_->Step(at, static_cast<uint8_t>(c));
    if (at.empty()) return false;
  }
  at_ = std::move(at);
  return true;
}

bool Matcher::Complete() const { return !at_.empty() && at_.front() == Stacks::kDone; }

bool Matcher::CanContinue() const { return !at_.empty() && at_.back() != Stacks::kDone; }

}  // namespace atelier::runtime
