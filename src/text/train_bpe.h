// Trains byte-level BPE (Sennrich et al. 2016; GPT-2's bytes): the pre-tokenizer cuts texts into words, and the
// commonest pair of neighbours within words becomes a token, again and again. The vocabulary and the merges are those
// of Hugging Face's BpeTrainer with the same settings (ByteLevel pre-tokenizer, ByteLevel.alphabet()): of equally
// common pairs the one with the smaller ids goes first. The result is the same for any number of threads.
//
//   TokenizerSpec spec = TrainBpe(pull, {.vocab_size = 8192});
//   auto tokenizer = MakeTokenizer(spec);
//
// Memory: with B bytes of different words (mostly 20 to 60 % of the corpus), about 25 B bytes at most, and 32 bytes per
// pair of neighbours that ever arises. At most 4 GiB of different words.
#pragma once

#include "base/progress.h"
#include "text/tokenizer.h"
#include "text/training_text.h"

namespace atelier::text {

struct TrainBpeOptions {
  int64_t vocab_size = 8192;  // special tokens and the 256 bytes included
  int64_t min_frequency = 2;  // a pair that is rarer is not merged
  std::string pre = "gpt-2";  // text/pretokenizers.h
  SpecialTexts special;
  int threads = 0;  // 0: as many as there are processors
};

struct TrainingNotes {
  uint64_t texts = 0, bytes = 0;  // of the corpus
  uint64_t words = 0;             // different ones
};

// Throws kInvalidInput for a corpus without texts, a vocabulary smaller than what it begins with, special tokens that
// collide with each other or with a token; kUnsupported for an unknown pre-tokenizer. The vocabulary may come out
// smaller than asked for, when no pair is left that is common enough. Progress: bytes read, then tokens of the
// vocabulary.
TokenizerSpec TrainBpe(const TextPull& next, const TrainBpeOptions& options, const ProgressFn& progress = nullptr,
                       TrainingNotes* notes = nullptr);

}  // namespace atelier::text
