// WordPiece (Schuster & Nakajima 2012) as BERT reads text (Devlin et al. 2018, google-research/bert `tokenization.py`;
// Hugging Face's BertNormalizer, BertPreTokenizer and WordPiece): control characters go, white space parts words, every
// Chinese character and every mark of punctuation is a word, and, but for the pre-tokenizer "bert-cased", letters
// become small and lose their accents. A word is cut from the left into the longest tokens there are; one of more than
// 100 characters, or that cannot be cut to its end, is the unknown token as a whole. Linear in the length of the text.
// Marks, signs and controls are Unicode 15's; Hugging Face's tables are Unicode 8's, which takes some 500 younger ones
// for letters.
//
// Tokens are spelled as in GGUF: those that begin a word after U+2581, those that go on as they are ("▁play", "ing").
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace atelier::text {

inline constexpr std::string_view kCased = "bert-cased";

// A token of BERT's vocab.txt as GGUF spells it, and back: "play" and "##ing" are "▁play" and "ing", but "##▁x" stays.
// Special tokens ("[CLS]") are not spelled at all.
std::string SpellWordPiece(std::string_view token);
std::string UnspellWordPiece(std::string_view token);

// Throws Error(kCorrupt) where there is no unknown token.
std::unique_ptr<Tokenizer> MakeWordPiece(TokenizerSpec spec);

}  // namespace atelier::text
