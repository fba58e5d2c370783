// SentencePiece's unigram model (Kudo 2018; XLM-RoBERTa, T5): the text is normalised by the file's charsmap, white
// space becomes one U+2581 before each word, and of all ways to cut it into tokens the one with the greatest sum of
// scores is taken (Viterbi). Characters without a token are the unknown token, neighbouring ones together. Sums are in
// double and the first of equal sums stays, as in llama.cpp. Linear in the length of the text.
#pragma once

#include <memory>

#include "text/tokenizer.h"

namespace atelier::text {

std::unique_ptr<Tokenizer> MakeUnigram(TokenizerSpec spec);

}  // namespace atelier::text
