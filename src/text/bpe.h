// Byte-level byte-pair encoding (GPT-2 and everything after it): the text is cut into words by the family's
// pre-tokenizer, every byte of a word becomes a printable character, and neighbours merge in the order of the
// vocabulary's list of merges. O(n log n) in the length of a word, whatever the word.
#pragma once

#include <memory>

#include "text/tokenizer.h"

namespace atelier::text {

std::unique_ptr<Tokenizer> MakeBpe(TokenizerSpec spec);

// The printable character that stands for a byte in such vocabularies, as UTF-8.
std::string ByteSymbol(uint8_t byte);

}  // namespace atelier::text
