#include "runtime/constraint/reply_check.h"

#include "runtime/constraint/constraint.h"

namespace atelier::runtime {

ReplyCheck::ReplyCheck(const artefact::ConstraintSpec& spec) : grammar_(CompileGrammar(spec)) {}

ReplyCheck::Verdict ReplyCheck::Of(std::string_view text) {
  if (stacks_ == nullptr || stacks_->size() > Stacks::kMostCells) stacks_ = std::make_unique<Stacks>(*grammar_);
  std::vector<StackId> at = stacks_->Start();
  for (size_t i = 0; i < text.size(); ++i) {
    at = stacks_->Step(at, static_cast<uint8_t>(text[i]));
    if (at.empty()) return {false, i};
  }
  return {!at.empty() && at.front() == Stacks::kDone, text.size()};
}

}  // namespace atelier::runtime
