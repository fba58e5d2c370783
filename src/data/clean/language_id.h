// Which language: Chinese, English, or another. Scripts decide what they can (kana, Hangul, Cyrillic ... are other);
// among Han, characters that only Japan's or only China's character sets hold; among Latin letters, function words of
// twenty languages, letters with accents, and how English the words' endings look.
#pragma once

#include <string_view>

#include "data/clean/survey.h"

namespace atelier::data::clean {

struct LanguageEvidence {
  uint64_t count[16] = {};  // [kClasses]
  uint64_t words = 0, english = 0, foreign = 0;

  void Add(const Survey& survey, const Tokens& tokens);
  // "zh", "en", "other", or "" where there is no letter at all.
  std::string_view Decide() const;
};

// The same for one text. REQUIRES: valid UTF-8; copies it, so not for hot loops.
std::string_view LanguageOf(std::string_view text);

}  // namespace atelier::data::clean
