// What a GGUF file says of its tokenizer (the keys `tokenizer.ggml.*`), as a specification for text/tokenizer.h.
#pragma once

#include <memory>

#include "artefact/gguf.h"
#include "text/tokenizer.h"

namespace atelier::runtime {

// Where the file is silent, the defaults are llama.cpp's: SentencePiece files have BOS 1, EOS 2, unknown 0, add BOS and
// a leading space; of byte-level BPE families some add BOS (text/pretokenizers.cc). Special ids out of range count as
// absent. Throws Error(kCorrupt) naming the file and key for what is missing or of the wrong type.
text::TokenizerSpec SpecFromGguf(const artefact::GgufFile& file);

// SpecFromGguf, then text::MakeTokenizer; errors name the file.
std::unique_ptr<text::Tokenizer> TokenizerFromGguf(const artefact::GgufFile& file);
// The same for a model whose embedding has `vocab` rows: another number of tokens is kCorrupt.
std::unique_ptr<text::Tokenizer> TokenizerFromGguf(const artefact::GgufFile& file, int64_t vocab);

}  // namespace atelier::runtime
