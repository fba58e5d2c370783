// SentencePiece's BPE (Llama 2, Mistral, Gemma): spaces become U+2581, neighbours merge while their joined text is a
// token, the highest score first, and characters without a token fall back to their bytes' tokens <0x00>..<0xFF>.
// O(n log n) in the length of the text.
#pragma once

#include <memory>

#include "text/tokenizer.h"

namespace atelier::text {

std::unique_ptr<Tokenizer> MakeSentencePiece(TokenizerSpec spec);

}  // namespace atelier::text
