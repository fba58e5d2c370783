// Words of a text in one pass: how many, how many of them are function words of English or of other languages in Latin
// letters, how many Chinese characters of grammar, and how much of the text says again what it said before.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "data/clean/survey.h"

namespace atelier::data::clean {

// Not thread-safe: one per worker, since it keeps tables of triples between texts.
class Tokeniser {
 public:
  explicit Tokeniser(const CharTable* table);
  // `repeated` is an upper bound that needs no look-up that can collide; nearly always 0 where nothing is repeated.
  // REQUIRES: `text` is valid UTF-8 with 64 readable bytes behind it.
  Tokens Count(std::string_view text);
  // The exact number of repeated triples. Slower.
  uint32_t Repeated(std::string_view text);

 private:
  template <typename Token>
  void Walk(std::string_view text, Tokens* tokens, const Token& token) const;

  const CharTable* table_;
  std::vector<uint8_t> kinds_;             // [0x10000] what a character is among words
  std::vector<uint32_t> hashes_, places_;  // of the words and triples of the text at hand
  std::vector<uint8_t> marks_;             // the generation that last had a triple at this place
  std::vector<uint64_t> exact_;            // hashes of triples, open addressing; 0: free
  uint8_t generation_ = 0;
};

}  // namespace atelier::data::clean
