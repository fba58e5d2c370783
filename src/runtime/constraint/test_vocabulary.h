// For tests: a small vocabulary with every byte, halves of characters, and tokens that cross lexemes of JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "runtime/constraint/constraint.h"

namespace atelier::runtime {

class TestTokenizer : public text::Tokenizer {
 public:
  TestTokenizer() {
    for (int byte = 0; byte < 256; ++byte) pieces_.push_back(std::string(1, static_cast<char>(byte)));
    for (const char* piece :
         {"\",\"",     "\":",      "\": ",  "\": \"", "{\"",      "\"}",          "}}",
          "]}",        "[[",       "},{",   "true",   "fal",      "null",         "12",
          "3.14",      "e+5",      "-0",    "\\u",    "\\u00",    "\\ud83d",      "\\ude00",
          "\\n",       "\\\"",     "中",    "文。",   "\xE4\xB8", "\xAD\xE6",     "😀",
          "\xF0\x9F",  "\x98\x80", "ab",    "abc",    "name",     "\"name\"",     "\"a\":1,\"a\":2",
          "\"k\":1",   "\"k\"",    "k\"",   "  ",     ", ",       "aaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaa",
          "aaaaaaa\"", "2024-",    "-02-3", "@b.",    "http",     "\n",           "\t",
          "], ["}) {
      pieces_.emplace_back(piece);
    }
    pieces_.emplace_back("<end>");
    pieces_.emplace_back("<pad>");
  }
  std::vector<text::TokenId> Encode(std::string_view, const text::EncodeOptions&) const override { return {}; }
  std::string Piece(text::TokenId id, bool) const override { return pieces_[static_cast<size_t>(id)]; }
  text::TokenId vocab_size() const override { return static_cast<text::TokenId>(pieces_.size()); }
  text::TokenId bos() const override { return -1; }
  text::TokenId eos() const override { return vocab_size() - 2; }
  bool adds_bos() const override { return false; }
  bool IsControl(text::TokenId id) const override { return id >= vocab_size() - 2; }
  bool EndsGeneration(text::TokenId id) const override { return id == eos(); }
  text::TokenId Find(std::string_view) const override { return -1; }

 private:
  std::vector<std::string> pieces_;
};

inline std::shared_ptr<const TokenIndex> TestIndex() {
  static const auto index = std::make_shared<const TokenIndex>(TestTokenizer());
  return index;
}

using SpecKind = artefact::ConstraintSpec::Kind;

inline std::shared_ptr<const Constraint> CompileForTest(SpecKind kind, const std::string& text,
                                                        std::vector<std::string> choices = {}) {
  return Compile({kind, text, std::move(choices)}, TestIndex());
}

// Whether a text satisfies a constraint as a whole.
inline bool Satisfies(const std::shared_ptr<const Constraint>& constraint, std::string_view text) {
  Matcher matcher(constraint);
  return matcher.AcceptText(text) && matcher.Complete();
}
inline bool SatisfiesSchema(const std::string& schema, std::string_view text) {
  return Satisfies(CompileForTest(SpecKind::kJsonSchema, schema), text);
}

// A text by random tokens of the mask; ends where it may, more willingly after `tokens`. "" and false: it did not end.
inline bool RandomText(Matcher matcher, const TokenIndex& index, Rng* rng, int tokens, std::string* out) {
  TokenMask mask;
  for (int i = 0; i < tokens * 20; ++i) {
    if (matcher.Complete() && (!matcher.CanContinue() || i >= tokens || rng->Below(8) == 0)) return true;
    matcher.Mask(&mask);
    std::vector<int32_t> allowed;
    for (int32_t token = 0; token < index.vocab(); ++token) {
      if (mask.Has(token) && !index.bytes(token).empty()) allowed.push_back(token);
    }
    // Late on, prefer what closes: texts must end some time.
    if (i >= tokens) {
      std::vector<int32_t> closing;
      for (int32_t token : allowed) {
        if (index.bytes(token).find_first_of("\"]}") != std::string_view::npos) closing.push_back(token);
      }
      if (!closing.empty() && rng->Below(4) != 0) allowed = closing;
    }
    const int32_t token = allowed[rng->Below(allowed.size())];
    if (!matcher.Accept(token)) {
      *out += " <- refused: " + std::string(index.bytes(token));
      return false;
    }
    *out += index.bytes(token);
  }
  return false;
}

}  // namespace atelier::runtime
