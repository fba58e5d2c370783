// Constraints of one model: its vocabulary prepared at the first use, the last constraints kept for the next request.
// A schema can be made to take seconds, and whoever asks for one occupies a thread that others wait for: so only few
// are compiled at a time, in the whole process, and who would have to wait for costly ones is refused at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "artefact/generator.h"
#include "runtime/constraint/constraint.h"

namespace atelier::runtime {

class ConstraintCompiler {
 public:
  static constexpr size_t kMost = 32;                        // constraints kept
  static constexpr size_t kMostBytes = size_t{256} << 20;    // of memory that they take; the last one is kept anyway
  static constexpr size_t kAtOnce = 2;                       // compiled at a time
  static constexpr std::chrono::milliseconds kPatience{50};  // a compilation that takes longer is not waited for

  // REQUIRES: the tokenizer outlives it.
  explicit ConstraintCompiler(const text::Tokenizer& tokenizer, size_t most_bytes = kMostBytes)
      : tokenizer_(tokenizer), most_bytes_(most_bytes) {}

  // What the request asks for, null for nothing. Throws what Compile throws, but kInvalidInput beyond its budgets:
  // trying again would not help; kInvalidInput for a request that asks for a constraint and for something that would
  // break it; kResourceExhausted while costly ones are being compiled. Thread-safe.
  std::shared_ptr<const Constraint> For(const artefact::GenerateRequest& request);

 private:
  using Clock = std::chrono::steady_clock;
  // Who compiles, in the process.
  class Turn {
   public:
    Turn();
    ~Turn();

   private:
    std::multiset<Clock::time_point>::iterator mine_;
  };
  std::shared_ptr<const Constraint> Known(const std::string& key);     // REQUIRES: mutex_ is held
  void Keep(std::string key, std::shared_ptr<const Constraint> made);  // the same

  const text::Tokenizer& tokenizer_;
  const size_t most_bytes_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<std::string> under_way_;  // what is being compiled, once for all who ask for it
  std::shared_ptr<const TokenIndex> index_;
  std::list<std::pair<std::string, std::shared_ptr<const Constraint>>> known_;  // most recently used first
};

}  // namespace atelier::runtime
