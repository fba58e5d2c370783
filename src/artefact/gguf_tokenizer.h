// What a GGUF file says of its tokenizer (the keys `tokenizer.ggml.*`), as a specification for text/tokenizer.h.
#pragma once

#include "artefact/gguf.h"
#include "text/tokenizer.h"

namespace atelier::artefact {

// Where the file is silent, the defaults are llama.cpp's: SentencePiece files have BOS 1, EOS 2, unknown 0, add BOS and
// a leading space; of byte-level BPE families some add BOS (text/pretokenizers.cc); WordPiece has [CLS] 101, [SEP] 102,
// unknown 100 and adds both. Special ids out of range count as
// absent. Throws Error(kCorrupt) naming the file and key for what is missing or of the wrong type.
text::TokenizerSpec SpecFromGguf(const GgufFile& file);

}  // namespace atelier::artefact
