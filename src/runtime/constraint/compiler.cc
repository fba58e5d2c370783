#include "runtime/constraint/compiler.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"

namespace atelier::runtime {
namespace {

// Different specs have different keys: every text comes with its length.
std::string KeyOf(const artefact::CallSpec& calls) {
  const artefact::CallSyntax& syntax = calls.syntax;
  std::string key = Cat(calls.required, calls.most, " ", syntax.text_before, syntax.between.has_value());
  const auto add = [&](const std::string& text) { key += Cat(" ", text.size(), ":", text); };
  for (const auto* text : {&syntax.head, &syntax.middle, &syntax.tail, &syntax.sign}) add(*text);
  add(syntax.between.value_or(""));
  for (const artefact::CallSpec::Function& function : calls.functions) {
    add(function.name);
    add(function.parameters);
  }
  return key;
}

struct Turns {
  std::mutex mutex;
  std::condition_variable freed;
  std::multiset<std::chrono::steady_clock::time_point> begun;  // one for each that is being compiled
};
Turns& AllTurns() {
  static Turns turns;
  return turns;
}

// Beyond a budget it is the request's fault.
std::shared_ptr<const Constraint> CompileOrRefuse(const artefact::ConstraintSpec& spec,
                                                  std::shared_ptr<const TokenIndex> tokens) {
  try {
    return Compile(spec, std::move(tokens));
  } catch (const Error& error) {
    if (error.code() != Code::kResourceExhausted) throw;
    throw Error(Code::kInvalidInput, error.what(), error.hint());
  }
}

}  // namespace

ConstraintCompiler::Turn::Turn() {
  Turns& turns = AllTurns();
  std::unique_lock lock(turns.mutex);
  while (turns.begun.size() >= kAtOnce) {
    const Clock::time_point until = *turns.begun.rbegin() + kPatience;
    if (Clock::now() >= until) {
      throw Error(Code::kResourceExhausted, "costly schemas are being compiled", "try again in a moment");
    }
    turns.freed.wait_until(lock, until);
  }
  mine_ = turns.begun.insert(Clock::now());
}

ConstraintCompiler::Turn::~Turn() {
  Turns& turns = AllTurns();
  {
    const std::lock_guard lock(turns.mutex);
    turns.begun.erase(mine_);
  }
  turns.freed.notify_one();
}

std::shared_ptr<const Constraint> ConstraintCompiler::Known(const std::string& key) {
  const auto found = std::find_if(known_.begin(), known_.end(), [&](const auto& entry) { return entry.first == key; });
  if (found == known_.end()) return nullptr;
  known_.splice(known_.begin(), known_, found);
  return found->second;
}

std::shared_ptr<const Constraint> ConstraintCompiler::For(const artefact::GenerateRequest& request) {
  const artefact::ConstraintSpec& spec = request.constraint;
  if (spec.kind == artefact::ConstraintSpec::Kind::kNone) return nullptr;
  if (!request.stop.empty()) {
    throw Error(Code::kInvalidInput, "a stop text could cut a constrained reply", "leave out one of the two");
  }
  if (request.ignore_end) throw Error(Code::kInvalidInput, "a constrained reply has an end that cannot be ignored");
  std::string key = Cat(static_cast<int>(spec.kind), " ", spec.text);
  for (const std::string& choice : spec.choices) key += Cat(" ", choice.size(), ":", choice);
  if (spec.kind == artefact::ConstraintSpec::Kind::kCalls) key += KeyOf(spec.calls);
  {
    const std::lock_guard lock(mutex_);
    if (auto known = Known(key)) return known;
    if (index_ == nullptr) index_ = std::make_shared<TokenIndex>(tokenizer_);
  }
  std::shared_ptr<const Constraint> made;
  {
    const Turn turn;
    made = CompileOrRefuse(spec, index_);
  }
  const std::lock_guard lock(mutex_);
  if (auto known = Known(key)) return known;  // somebody else was faster, and has its masks already
  known_.emplace_front(std::move(key), made);
  if (known_.size() > kMost) known_.pop_back();
  return made;
}

}  // namespace atelier::runtime
