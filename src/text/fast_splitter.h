// The commonest pre-tokenizers as hand-written automata over UTF-8: GPT-2's words (with or without digits on their own)
// and cl100k's. They give what the patterns of pretokenizers.cc give, which their tests hold them to.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "text/pretokenizers.h"

namespace atelier::text {

class FastSplitter {
 public:
  // Nothing where the rule is none of these.
  static std::optional<FastSplitter> For(const PreTokenizer& rule);

  // The end of the word that begins at byte `at`. REQUIRES: valid UTF-8, at < text.size().
  size_t WordEnd(std::string_view text, size_t at) const {
    return kind_ == kCl100k ? Cl100kEnd(text, at) : Gpt2End(text, at);
  }

 private:
  enum Kind { kGpt2, kGpt2Digits, kCl100k };
  FastSplitter(Kind kind, int digits) : kind_(kind), digits_(digits) {}
  size_t Gpt2End(std::string_view text, size_t at) const;
  size_t Cl100kEnd(std::string_view text, size_t at) const;

  Kind kind_;
  int digits_;  // of a number, at most
};

}  // namespace atelier::text
