// Trains SentencePiece's unigram model (Kudo 2018): many substrings of the corpus as candidates, from a suffix array;
// their probabilities by expectation and maximisation over all ways to cut the texts (forward-backward); the candidates
// whose loss would cost the corpus least likelihood are left out, a part at a time, until the vocabulary is as large as
// asked for.
//
// Texts are taken as they are: no normal form, every space is kept (as U+2581), so that what is encoded comes back,
// apart from characters that are too rare for the vocabulary (the unknown token). A piece holds a space only as its
// first character, and never control characters (line ends, tabs) beside others. Counts are integers (of 2^-20), so
// that the result is the same for any number of threads.
//
// Where it differs from SentencePiece: candidates are counted by how often their words occur, not in how many different
// words; whole words are candidates too; the last cut is by loss like those before it, not by probability.
//
// Memory: with N characters of different words, about 20 N bytes and 100 bytes per candidate. At most 2^32 characters.
#pragma once

#include "base/progress.h"
#include "text/tokenizer.h"
#include "text/train_bpe.h"
#include "text/training_text.h"

namespace atelier::text {

struct TrainUnigramOptions {
  int64_t vocab_size = 8192;       // special tokens and characters included
  double coverage = 0.9995;        // the commonest characters that make up this share of the corpus have tokens
  int64_t most_characters = 16;    // of a piece
  int64_t candidates = 1'000'000;  // to begin with
  SpecialTexts special = {.unknown = "<unk>"};
  int threads = 0;  // 0: as many as there are processors
};

// Throws kInvalidInput for a corpus without texts, a vocabulary with no room for the characters and special tokens,
// special tokens that collide. The vocabulary may come out smaller than asked for, when the corpus has no more
// substrings that occur twice. Progress: bytes read, then rounds.
TokenizerSpec TrainUnigram(const TextPull& next, const TrainUnigramOptions& options,
                           const ProgressFn& progress = nullptr, TrainingNotes* notes = nullptr);

}  // namespace atelier::text
