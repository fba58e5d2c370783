// How hard a text in one language is to read: Flesch's formulas for English, the length of sentences and the share of
// everyday characters for Chinese.
#pragma once

#include <cstdint>
#include <string_view>

namespace atelier::evaluate {

// Syllables of an English word in a-z, at least 1: vowels in a row are one, silent ends none. By rule, not by
// dictionary: 91 % of the words of CMUdict have the number that it says.
int64_t CountSyllables(std::string_view word);

struct Readability {
  int64_t sentences = 0;  // that hold a word or a Han character; . ! ? … 。 ！ ？ and line breaks end them
  int64_t words = 0, syllables = 0, characters = 0;  // English words and their syllables; Han characters
  int64_t common = 0;  // Han characters of the first level of GB 2312-80: the 3,755 everyday ones, simplified

  // Flesch 1948: 206.835 - 1.015 words per sentence - 84.6 syllables per word. Higher is easier; 60 to 70 is plain.
  // Kincaid et al. 1975: years of school. Not a number without an English word.
  double flesch_reading_ease() const;
  double flesch_kincaid_grade() const;
  // Not a number without a Han character.
  double characters_per_sentence() const;
  double common_share() const;  // in [0, 1]
};

// Any bytes. Words that hold anything but a-z, A-Z and apostrophes count for nothing.
Readability MeasureReadability(std::string_view text);

}  // namespace atelier::evaluate
