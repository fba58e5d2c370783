// The operator `compose`: writes candidates from a phrase grammar, so that every fact comes from the record unchanged.
//
//   [[step]]
//   id = "phrases"
//   use = "compose"
//   grammar = { zh = "grammar/zh.toml", en = "grammar/en.toml" }   # by the record's language
//   count = 40                                                     # candidates per record
//   max_chars = { headline = 60, body = 240 }                      # optional; longer texts are not written
//
// A record without a name, without features or with fewer than three facts in all (features, audience, price), or whose
// grammar finds nothing to say, gets `needs_person` with the reason. A record in a language without a grammar is left
// to other writers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "operators/compose_expand.h"
#include "operators/compose_grammar.h"
#include "recipe/run.h"

namespace atelier::operators {

struct ComposeOptions {
  size_t count = 40;
  size_t max_headline = 100000, max_body = 100000;
};

struct Composed {
  std::vector<recipe::Candidate> candidates;
  std::string lacking;  // why there are none, in the grammar's language
};

// Candidates for one record: output {headline, body, tags}, choices as docs/formats/grammar.md has them.
Composed Compose(const Grammar& grammar, const Json& input, const ComposeOptions& options, Rng& rng);

// Name, category and the short features, each once, at most five.
Json Tags(const Facts& facts, bool chinese);

std::unique_ptr<recipe::Operator> MakeCompose(Table& step, const recipe::StepContext& context);

}  // namespace atelier::operators
