// Constraints of one model: its vocabulary prepared at the first use, the last constraints kept for the next request.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "artefact/generator.h"
#include "runtime/constraint/constraint.h"

namespace atelier::runtime {

class ConstraintCompiler {
 public:
  static constexpr size_t kMost = 32;  // constraints kept

  // REQUIRES: the tokenizer outlives it.
  explicit ConstraintCompiler(const text::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // What the request asks for, null for nothing. Throws what Compile throws, and kInvalidInput for a request that asks
  // for a constraint and for something that would break it. Thread-safe.
  std::shared_ptr<const Constraint> For(const artefact::GenerateRequest& request);

 private:
  const text::Tokenizer& tokenizer_;
  std::mutex mutex_;
  std::shared_ptr<const TokenIndex> index_;
  std::list<std::pair<std::string, std::shared_ptr<const Constraint>>> known_;  // most recently used first
};

}  // namespace atelier::runtime
