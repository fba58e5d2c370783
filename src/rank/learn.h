// From choices to a ranker: features and vectors as numbers, how strongly to hold the weights back, the weights, how
// far to trust them, and what all that is worth on choices that had no part in it.
//
//   1. A share of the choices is held out, whole groups (split.h); or those of another file are.
//   2. On the rest, five folds of groups say how strong the penalties should be: first that of the declared features
//      alone, then that of the encoder's vectors beside them. The strongest that is not worse than the best by more
//      than a standard error is taken; and the vectors only where they are better than none by more than two.
//   3. The scores that each fold got from the weights of the other four say how far to trust scores (calibrate.h).
//   4. The weights are those of the whole rest, and the figures those of the held out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "artefact/embedder.h"
#include "artefact/ranker_file.h"
#include "base/note.h"
#include "base/progress.h"
#include "evaluate/calibration.h"
#include "rank/choices.h"
#include "rank/losses.h"
#include "rank/order.h"

namespace atelier::rank {

struct LearnOptions {
  Loss loss = Loss::kPairwise;
  // Names of features.h or of what the options bring. Empty: all of features.h and all that every option brings.
  std::vector<std::string> features = {};
  bool use_features = true;  // false: the encoder alone
  bool product = false;      // also the context's vector times the option's
  double held_out = 0.2;     // share of the choices
  uint64_t seed = 1;         // of the split
  ProgressFn progress = nullptr;
};

struct Influence {
  std::string name;
  double mean = 0, deviation = 1;  // of the feature; the deviation is that within choices
  double effect = 0;               // log-odds of being preferred, for one deviation more
};

struct HeldOut {
  size_t choices = 0, groups = 0, pairs = 0;
  Order ranker;
  std::vector<Order> baselines;                // random, first shown, longest
  double loss = 0;                             // mean -ln p of the pairs; 0.693 is a coin
  double error_before = 0, error_after = 0;    // expected calibration error of the pairs' probabilities
  std::vector<evaluate::ReliabilityBin> bins;  // after
};

struct Learned {
  artefact::RankerFile file;
  size_t choices = 0, groups = 0, options = 0;  // learned from
  std::vector<Influence> influences;            // greatest effect first
  double encoder_effect = 0;                    // log-odds of one deviation of what the vectors say, within choices
  size_t cut = 0;                               // texts longer than the encoder reads
  HeldOut held_out;
  std::vector<Note> notes;
};

// `encoder` may be null; `validation` too: then a share of `data` is held out. Throws kInvalidInput for fewer than
// three groups (two with `validation`), a group that is in both files, a feature that an option lacks, and where
// nothing tells options apart.
Learned Learn(const Choices& data, const Choices* validation, artefact::Embedder* encoder, const LearnOptions& options);

// As JSON: what is printed, and kept in the file as `trained`.
Json ToJson(const Learned& learned);

}  // namespace atelier::rank
