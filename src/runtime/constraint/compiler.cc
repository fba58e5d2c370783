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

Error Busy() { return {Code::kResourceExhausted, "costly schemas are being compiled", "try again in a moment"}; }

}  // namespace

ConstraintCompiler::Turn::Turn() {
  Turns& turns = AllTurns();
  std::unique_lock lock(turns.mutex);
  // However many come and go meanwhile, nobody waits longer than for those that he found.
  if (turns.begun.size() >= kAtOnce) {
    const Clock::time_point until = *turns.begun.rbegin() + kPatience;
    if (!turns.freed.wait_until(lock, until, [&] { return turns.begun.size() < kAtOnce; })) throw Busy();
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
  std::unique_lock lock(mutex_);
  const Clock::time_point until = Clock::now() + kPatience;
  while (true) {
    if (auto known = Known(key)) return known;
    if (under_way_.insert(key).second) break;
    if (ended_.wait_until(lock, until) == std::cv_status::timeout) throw Busy();
  }
  std::shared_ptr<const Constraint> made;
  std::exception_ptr error;
  try {
    if (index_ == nullptr) index_ = std::make_shared<TokenIndex>(tokenizer_);
    lock.unlock();
    const Turn turn;
    made = CompileOrRefuse(spec, index_);
  } catch (...) {
    error = std::current_exception();
  }
  if (!lock.owns_lock()) lock.lock();
  under_way_.erase(key);
  ended_.notify_all();
  if (error) std::rethrow_exception(error);
  Keep(std::move(key), made);
  return made;
}

void ConstraintCompiler::Keep(std::string key, std::shared_ptr<const Constraint> made) {
  known_.emplace_front(std::move(key), std::move(made));
  size_t bytes = 0, count = 0;
  for (const auto& entry : known_) {  // they have grown since they came
    bytes += BytesOf(*entry.second);
    if (count > 0 && (bytes > most_bytes_ || count == kMost)) break;
    ++count;
  }
  known_.resize(count);
}

}  // namespace atelier::runtime
