// Hugging Face's tokenizer.json: byte-level BPE, unigram and WordPiece vocabularies, written so that their `tokenizers`
// gives the same ids, and read strictly. docs/formats/tokenizer.md says which sections are understood.
//
// What may be in the file and is not understood is refused, since passing over it would give other ids. The file does
// not say which token begins or ends a text; those are told by their usual texts ("<s>", "</s>", "<|endoftext|>" ...),
// or by tokenizer_config.json beside it (artefact/tokenizer_file.h).
#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace atelier::text {

// At most so many bytes and tokens are read.
inline constexpr uint64_t kMostTokenizerJson = uint64_t{256} << 20;
inline constexpr size_t kMostJsonTokens = 4'000'000;

// REQUIRES: tokens and merges that agree with each other (what TrainBpe, TrainUnigram and ParseTokenizerJson give).
// Throws kUnsupported for what the format cannot say: SentencePiece's BPE, charsmaps, pre-tokenizers without a
// published regex here.
std::string ToTokenizerJson(const TokenizerSpec& spec);

// Throws Error(kInvalidInput) for what is no JSON or has not the format's shape, kUnsupported for sections that this
// build does not know, kCorrupt for a vocabulary that contradicts itself; one line that begins with `what`.
// A normal form that texts should be brought to, NFC, is refused too, unless it is left to the texts, as vocabularies
// in GGUF leave it.
enum class NormalForm { kRefuse, kLeaveToTexts };
TokenizerSpec ParseTokenizerJson(std::string_view json, std::string_view what, NormalForm nfc = NormalForm::kRefuse);

// tokenizer_config.json: the special tokens' roles. Of it only bos_token, eos_token, pad_token and unk_token are read.
std::string ToTokenizerConfigJson(const TokenizerSpec& spec);
void ApplyTokenizerConfigJson(std::string_view json, std::string_view what, TokenizerSpec* spec);

}  // namespace atelier::text
