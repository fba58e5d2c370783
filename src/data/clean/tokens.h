// Words of a text in one pass: how many, how many of them are function words of English or of other languages in Latin
// letters, how many Chinese characters of grammar, and how much of the text says again what it said before.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "data/clean/survey.h"

namespace atelier::data::clean {

// Not thread-safe: one per worker, since it keeps the table of triples between texts.
class Tokeniser {
 public:
  explicit Tokeniser(const CharTable* table);
  // REQUIRES: `text` is valid UTF-8 with 64 readable bytes behind it.
  Tokens Count(std::string_view text);

 private:
  const CharTable* table_;
  std::vector<uint64_t> triples_;  // generation << 32 | hash, open addressing
  uint32_t generation_ = 0;
};

}  // namespace atelier::data::clean
