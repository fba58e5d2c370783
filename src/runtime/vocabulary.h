// Tokenizers out of GGUF files.
#pragma once

#include <memory>

#include "artefact/gguf.h"
#include "artefact/gguf_tokenizer.h"
#include "text/tokenizer.h"

namespace atelier::runtime {

// Whether the file's tokenizer puts a space before every text: one that goes on after another has none of its own then
// (text::Tokenizer::EncodeBehind).
bool SpacesTexts(const artefact::GgufFile& file);

using artefact::SpecFromGguf;

// SpecFromGguf, then text::MakeTokenizer; errors name the file.
std::unique_ptr<text::Tokenizer> TokenizerFromGguf(const artefact::GgufFile& file);
// The same for a model whose embedding has `vocab` rows: another number of tokens is kCorrupt.
std::unique_ptr<text::Tokenizer> TokenizerFromGguf(const artefact::GgufFile& file, int64_t vocab);

}  // namespace atelier::runtime
