// METEOR (Banerjee and Lavie 2005) with two of its stages, exact words and stems: no synonyms, which would need
// WordNet. The arithmetic and the alignment are NLTK's meteor_score: from the end, each word with the last one still
// free.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace atelier::evaluate {

struct MeteorOptions {
  double alpha = 0.9;  // weight of recall in the mean
  double beta = 3;     // how the penalty grows with the share of chunks
  double gamma = 0.5;  // the largest penalty
};

// Of lower-case tokens, in [0, 1]; 0 where nothing matches. Words of a-z and 0-9 are stemmed by NLTK's Porter.
double Meteor(std::span<const std::string> reference, std::span<const std::string> hypothesis,
              const MeteorOptions& options = {});

}  // namespace atelier::evaluate
