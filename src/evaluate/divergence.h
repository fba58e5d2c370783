// How far a model is from the one it was made of: both read a text in the windows of perplexity.h, and for each token
// of the second halves the distribution of the copy, q, is held against that of the original, p.
//   divergence  mean of KL(p || q) = sum_t p(t) log(p(t) / q(t)), in nats (Kullback & Leibler 1951)
//   same_top    share of places where both name the same likeliest token
#pragma once

#include <cstdint>
#include <string_view>

#include "artefact/generator.h"
#include "base/progress.h"
#include "evaluate/perplexity.h"

namespace atelier::evaluate {

struct Divergence {
  Perplexity original, copy;
  double mean = 0, standard_error = 0;  // of KL
  double median = 0, p99 = 0, greatest = 0;
  double same_top = 0;
};

// Keeps half a window of distributions in memory: context / 2 * vocabulary floats. Throws as MeasurePerplexity does,
// and kInvalidInput where the two read the text as other tokens.
Divergence MeasureDivergence(artefact::Generator& original, artefact::Generator& copy, std::string_view text,
                             int64_t context, const ProgressFn& progress = nullptr);

}  // namespace atelier::evaluate
