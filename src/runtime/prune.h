// A model made smaller by leaving out what counts least.
//
// Units of the feed-forward layers go whole, so that the file is smaller and every token cheaper. Unit j of a layer
// adds h_j times column j of the way down; its score is the energy of that,
//
//   mean of h_j^2 over a calibration text  *  |down[:, j]|^2
//
// (An et al. 2024, FLAP, without its centring). Weights alone do not tell which units a model cannot do without: by
// |gate_j|^2 |up_j|^2 |down[:, j]|^2 SmolLM2 lost all it knew with a quarter of its units, by a text a third of its
// perplexity.
//
// Single weights become 0, in each row those of least |w| sqrt(mean x^2) of their column (Sun et al. 2023, Wanda, eq.
// 1); without a text those of least |w| (Han et al. 2015). The file is no smaller for it, nor are products quicker: it
// tells how much of a matrix does anything. In types with a minimum per block (Q4_1, Q4_K ...) a 0 is as near as they
// have it.
//
// Tokens go from the vocabulary (Abdaoui et al. 2020), whose embedding and head are most of a small multilingual model:
// what stays is said by text/vocabulary_subset.h. A text whose tokens all stay is cut as before, and its logits over
// them are the whole model's.
//
// Norms and attention's units stay.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/gguf.h"
#include "base/progress.h"
#include "runtime/importance.h"
#include "text/tokenizer.h"

namespace atelier::runtime {

struct PruneOptions {
  double units = 1;     // share of each layer's feed-forward units that stays, (0, 1]; rounded to whole blocks
  double weights = 1;   // share of each row's weights that stays, (0, 1]
  bool tokens = false;  // whether the vocabulary loses what is not among these:
  std::vector<text::TokenId> used = {};  //   tokens of the text that the model is for,
  int64_t least_tokens = 0;              //   and of the others the first ones, up to so many in all
  const Importance* importance = nullptr;
  std::string licence = {};  // written down where the file states none
  int threads = 0;           // 0: as many as there are processors
};

struct PruneReport {
  int64_t layers = 0, units_before = 0, units = 0;  // of each layer
  int64_t tokens_before = 0, tokens = 0;            // of the vocabulary
  int64_t weights = 0, left_out = 0;                // of the matrices that --weights went through
  int64_t again = 0;                                // matrices that were quantised before, and lose a little twice
  uint64_t bytes_before = 0, bytes_after = 0;
};

// The tokens of a text, as a whole and line by line, and of the model's template around messages.
std::vector<text::TokenId> UsedTokens(const artefact::GgufFile& file, std::string_view text);

// Throws kInvalidInput for shares outside their range, where nothing says what goes, and for units of a model that read
// no calibration text.
void CheckPrune(double units, double weights, bool tokens, bool calibrated);

// Writes `to`, atomically. Throws what CheckPrune throws, kInvalidInput where nothing would change once units are
// rounded, kUnsupported for a model whose layers have other matrices, kConflict where `to` is the file itself.
PruneReport PruneModel(const artefact::GgufFile& file, const PruneOptions& options, const std::string& to,
                       const ProgressFn& progress = nullptr);

}  // namespace atelier::runtime
