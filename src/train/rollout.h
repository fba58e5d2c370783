// What a policy says by itself: replies of the model as it now stands, sampled by the engine, and what a scorer makes
// of them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/pretrained.h"
#include "train/policy_engine.h"

namespace atelier::train {

// A score for each reply, in order; the greater, the better. `records`: what each answers, as JSON.
using ScoreFn = std::function<std::vector<double>(const std::vector<std::string>& records,
                                                  const std::vector<std::string>& replies)>;

// A program that is given lines {"record": {...}, "reply": "..."} and answers each with a line that is a number. It is
// started once a step, never through a shell. Throws kInvalidInput where it fails, says what is no number, or says too
// few.
ScoreFn ScorerProgram(std::vector<std::string> argv);

struct RolloutSettings {
  int64_t samples = 8;  // of each prompt
  int64_t max_tokens = 64;
  double temperature = 1;
};

// Samples by the engine, with the adapter as it stands at that step.
model::RolloutFn MakeRollout(std::shared_ptr<PolicyEngine> engine, const RolloutSettings& settings, ScoreFn score);

}  // namespace atelier::train
