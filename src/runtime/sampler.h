// Draws the next token from logits. The order of operations is Hugging Face's: bias and penalties, temperature, top-k,
// top-p, min-p, then one draw. A mask comes before the temperature: what it leaves out cannot be drawn. Of tokens that
// tie at a border of top-k or top-p, those with the lower ids stay. Log-probabilities are of the model's own
// distribution, before any of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "artefact/generator.h"
#include "base/rng.h"
#include "kernel/table.h"
#include "runtime/constraint/token_mask.h"

namespace atelier::runtime {

class Sampler {
 public:
  // Sample `index` of a request draws from a stream of its own: (seed, index).
  Sampler(const artefact::Sampling& settings, uint64_t seed, int index, int64_t vocab, const kernel::Table& kernels);

  // The next token. `logits` [vocab] is changed in place. `context` are the tokens so far (prompt and reply), `reply`
  // the last of them that were generated. Fills `logprob` (where not null) with the `tops` likeliest beside the choice.
  // Logits that are not numbers count as impossible; where none is possible the choice is the first token of the mask
  // (without one, token 0). `mask` may be null. REQUIRES: it is of this vocabulary and not empty.
  int32_t Pick(float* logits, std::span<const int32_t> context, size_t reply, int tops, artefact::TokenLogprob* logprob,
               const TokenMask* mask = nullptr);

 private:
  void Penalise(float* logits, std::span<const int32_t> context, size_t reply) const;

  struct Candidate {
    float logit;
    int32_t token;
  };
  int32_t Draw(const float* logits, float greatest);

  artefact::Sampling settings_;
  int64_t vocab_;
  const kernel::Table& kernels_;
  Rng rng_;
  std::vector<Candidate> candidates_;
};

// Throws kInvalidInput naming the setting that is out of range.
void Validate(const artefact::Sampling& settings, int64_t vocab);

}  // namespace atelier::runtime
