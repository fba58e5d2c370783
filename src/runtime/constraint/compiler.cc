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

}  // namespace

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
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(known_.begin(), known_.end(), [&](const auto& entry) { return entry.first == key; });
  if (found != known_.end()) {
    known_.splice(known_.begin(), known_, found);
    return found->second;
  }
  if (index_ == nullptr) index_ = std::make_shared<TokenIndex>(tokenizer_);
  known_.emplace_front(std::move(key), Compile(spec, index_));
  if (known_.size() > kMost) known_.pop_back();
  return known_.front().second;
}

}  // namespace atelier::runtime
