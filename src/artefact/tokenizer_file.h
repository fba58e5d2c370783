// Tokenizers as files: Hugging Face's tokenizer.json, and the tokenizer's part of a GGUF file.
#pragma once

#include <string>

#include "artefact/gguf_writer.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace atelier::artefact {

// Reads a tokenizer.json (text/tokenizer_json.h), with the roles of special tokens from the file that stands beside it,
// if one does: tokenizer_config.json for tokenizer.json, NAME_config.json for NAME.json. Throws as ParseTokenizerJson.
text::TokenizerSpec ReadTokenizerJson(const std::string& path, text::NormalForm nfc = text::NormalForm::kRefuse);

// An embedding may have more rows than the tokenizer has tokens: fills up with tokens that no text becomes. Throws
// kCorrupt, beginning with `where`, where it has fewer.
void FillVocabulary(int64_t rows, const std::string& where, text::TokenizerSpec* spec);

// Writes both.
void WriteTokenizerJson(const text::TokenizerSpec& spec, const std::string& path);

// Sets the keys `tokenizer.ggml.*` as llama.cpp expects them for "gpt2" (byte-level BPE), "llama", "t5" (unigram) and
// "bert" (WordPiece);
// gguf_tokenizer.h reads them back to the same specification. Throws kInvalidInput for an empty vocabulary or other
// counts of scores or types than of tokens.
void WriteTokenizerToGguf(const text::TokenizerSpec& spec, GgufWriter& writer);

}  // namespace atelier::artefact
