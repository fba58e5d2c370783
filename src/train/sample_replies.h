// What a decoder that is being tuned now says to prompts of its data, beside what was wanted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/pretrained.h"
#include "text/tokenizer.h"
#include "train/examples.h"
#include "train/policy_engine.h"

namespace atelier::train {

struct ReplySample {
  std::string prompt, reply;
  std::string wanted;  // the first reply that the record has: what is learned, or was chosen; "" where there is none
};

// Of `count` rows, spread evenly over the examples: greedy, so that what differs from step to step is the model's.
std::vector<ReplySample> SampleReplies(PolicyEngine& engine, const model::Pretrained& model,
                                       const text::Tokenizer& tokenizer, const Examples& examples, int64_t count);

}  // namespace atelier::train
