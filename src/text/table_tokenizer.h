// What every tokenizer over a table of tokens answers alike.
#pragma once

#include "text/token_table.h"
#include "text/tokenizer.h"

namespace atelier::text {

class TableTokenizer : public Tokenizer {
 public:
  explicit TableTokenizer(TokenizerSpec spec) : table_(std::move(spec)) {}

  TokenId vocab_size() const override { return table_.size(); }
  TokenId bos() const override { return table_.spec().bos; }
  TokenId eos() const override { return table_.spec().eos; }
  bool adds_bos() const override { return table_.spec().add_bos && bos() >= 0; }
  bool IsControl(TokenId id) const override { return table_.IsControl(id); }
  bool EndsGeneration(TokenId id) const override { return table_.EndsGeneration(id); }
  TokenId Find(std::string_view token) const override { return table_.Find(token); }
  std::string Piece(TokenId id, bool special) const override {
    if (!table_.Has(id)) return "";
    switch (table_.Type(id)) {
      case TokenType::kControl:
      case TokenType::kUnknown: return special ? table_.Text(id) : "";
      case TokenType::kUserDefined: return table_.Text(id);
      default: return TextPiece(id);
    }
  }

 protected:
  // The bytes of a token that text is made of: of any type but control, unknown and user-defined.
  virtual std::string TextPiece(TokenId id) const = 0;
  bool adds_eos() const { return table_.spec().add_eos && eos() >= 0; }

  const TokenTable table_;
};

}  // namespace atelier::text
