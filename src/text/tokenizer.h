// Tokenizers of language models, built from what the model's own file says of them.
//
// Text in and out is bytes. Bytes that are not UTF-8 enter as U+FFFD (one per maximal ill-formed subpart, as Unicode
// 15 §3.9 and Python's errors="replace" have it). Objects are immutable after MakeTokenizer: share them freely.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::text {

using TokenId = int32_t;

enum class TokenType : uint8_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

// The vocabulary and its rules, as a model file states them. Plain data; the runtime fills it from GGUF metadata.
struct TokenizerSpec {
  // "gpt2": byte-level BPE; "llama": SentencePiece with byte fallback; "t5": its unigram model; "bert": WordPiece
  std::string model;
  std::string pre;  // BPE pre-tokenizer's name: "smollm", "llama-bpe", "qwen2", "tekken" ...; WordPiece: "bert-cased"
  std::vector<std::string> tokens;  // [vocab]
  std::vector<float> scores;        // [vocab] or empty; SentencePiece merges by it
  std::vector<uint8_t> types;       // [vocab] or empty (all normal); values of TokenType
  std::vector<std::string> merges;  // "left right" in order of rank; byte-level BPE
  std::string charsmap;             // unigram: SentencePiece's normaliser (text/charsmap.h), or empty
  bool merge_spaces = true;         // unigram: white space is one mark before each word
  TokenId bos = -1, eos = -1, unknown = -1, padding = -1;
  std::vector<TokenId> end_of_generation;  // further ids that end a reply (eot, eom); the tokenizer adds those it knows
  bool add_bos = false, add_eos = false, add_space_prefix = true;
};

struct EncodeOptions {
  bool add_special = false;    // BOS/EOS where the model wants them
  bool parse_special = false;  // control tokens written in the text ("<|im_end|>") become their ids
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual std::vector<TokenId> Encode(std::string_view text, const EncodeOptions& options = {}) const = 0;
  // What the tokens of `before` + `text` go on with behind those of `before`; nothing where both together begin
  // otherwise. For tokenizers that put a space of their own before every text.
  std::optional<std::vector<TokenId>> EncodeBehind(std::string_view before, std::string_view text,
                                                   const EncodeOptions& options = {}) const;
  // The bytes that a token stands for; "" for control tokens unless `special`. Any id is safe: unknown ones give "".
  virtual std::string Piece(TokenId id, bool special = false) const = 0;
  std::string Decode(std::span<const TokenId> ids, bool special = false) const;

  virtual TokenId vocab_size() const = 0;
  virtual TokenId bos() const = 0;
  virtual TokenId eos() const = 0;
  virtual bool adds_bos() const = 0;
  virtual bool IsControl(TokenId id) const = 0;
  // Whether generation stops at this id (EOS, <|im_end|>, <end_of_turn>, <|eot_id|> ...).
  virtual bool EndsGeneration(TokenId id) const = 0;
  // The id of a token by its exact text, or -1.
  virtual TokenId Find(std::string_view token) const = 0;
};

// Throws Error(kUnsupported) for a model or pre-tokenizer this build does not know (naming it and those it knows),
// Error(kCorrupt) for a vocabulary that contradicts itself.
std::unique_ptr<Tokenizer> MakeTokenizer(TokenizerSpec spec);

}  // namespace atelier::text
