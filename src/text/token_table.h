// What both tokenizers share: the vocabulary, checked, with look-up by text, by type, and of the ids that end a reply.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/special_tokens.h"
#include "text/tokenizer.h"

namespace atelier::text {

// From texts to numbers 0..n-1; the texts live elsewhere and must outlive it.
class TextIndex {
 public:
  // Adds `texts` in order; of equal texts the first keeps its place. Empty texts are left out.
  explicit TextIndex(const std::vector<std::string>* texts);
  int32_t Find(std::string_view text) const;

 private:
  struct Slot {
    uint32_t tag = 0;
    int32_t index = -1;
  };
  const std::vector<std::string>* texts_;
  std::vector<Slot> slots_;  // a power of two, at most half full
};

// Checks and completes the specification, as llama.cpp completes what a file says:
//  * Error(kCorrupt): no tokens, scores or types of another count than tokens;
//  * ignored: special ids out of range (become -1), empty tokens and second copies of a text (never found by text);
//  * special tokens that are not UTF-8 are never cut out of a text;
//  * tokens that look like markers of known families ("<|im_end|>", "<|fim_prefix|>" ...) count as control tokens
//    whatever their type says, so that they are never taken from a user's text.
class TokenTable {
 public:
  explicit TokenTable(TokenizerSpec spec);
  TokenTable(const TokenTable&) = delete;
  TokenTable& operator=(const TokenTable&) = delete;

  const TokenizerSpec& spec() const { return spec_; }
  TokenId size() const { return static_cast<TokenId>(spec_.tokens.size()); }
  bool Has(TokenId id) const { return id >= 0 && id < size(); }
  const std::string& Text(TokenId id) const { return spec_.tokens[id]; }
  TokenType Type(TokenId id) const { return static_cast<TokenType>(spec_.types[id]); }
  float Score(TokenId id) const { return spec_.scores.empty() ? 0.0f : spec_.scores[id]; }
  TokenId Find(std::string_view text) const { return index_.Find(text); }
  size_t longest() const { return longest_; }  // bytes of the longest token
  bool IsControl(TokenId id) const { return Has(id) && Type(id) == TokenType::kControl; }
  bool EndsGeneration(TokenId id) const;

  // The tokens that are cut out of a text before anything else.
  const SpecialTokens& Specials(bool parse_special) const { return parse_special ? all_specials_ : user_specials_; }

 private:
  void ApplyKnownTexts();

  TokenizerSpec spec_;
  TextIndex index_;
  size_t longest_ = 0;
  std::vector<TokenId> ends_;  // sorted
  SpecialTokens user_specials_, all_specials_;
};

}  // namespace atelier::text
