#include "evaluate/readability.h"

#include <unicode/ucnv.h>

#include <string>
#include <vector>

#include "evaluate/sums.h"
#include "text/unicode.h"

namespace atelier::evaluate {
namespace {

bool IsVowel(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y'; }

double Ratio(int64_t part, int64_t whole) {
  return whole == 0 ? kUndefined : static_cast<double>(part) / static_cast<double>(whole);
}

// Rows 16 to 55 of GB 2312 are its first level; GB 18030 keeps their two bytes.
std::vector<bool> MakeCommon() {
  constexpr size_t kCharacters = 0xA000;
  std::vector<bool> common(kCharacters);
  UErrorCode error = U_ZERO_ERROR;
  UConverter* converter = ucnv_open("gb18030", &error);
  for (int row = 0xB0; row <= 0xD7 && U_SUCCESS(error); ++row) {
    for (int cell = 0xA1; cell <= (row == 0xD7 ? 0xF9 : 0xFE); ++cell) {
      const char bytes[2] = {static_cast<char>(row), static_cast<char>(cell)};
      UChar c[4];
      const int32_t length = ucnv_toUChars(converter, c, 4, bytes, 2, &error);
      if (U_SUCCESS(error) && length == 1 && c[0] < kCharacters) common[c[0]] = true;
    }
  }
  ucnv_close(converter);
  return common;
}

bool IsCommon(char32_t c) {
  static const std::vector<bool> common = MakeCommon();
  return c < common.size() && common[c];
}

// A full stop inside a number or a name ("3.14", "U.S.A") ends nothing.
bool EndsSentence(char32_t c, std::string_view rest) {
  switch (c) {
    case '\n':
    case 0x2026:
    case 0x3002:
    case 0xFF01:
    case 0xFF1F: return true;
    case '.':
    case '!':
    case '?': return rest.empty() || text::IsSpace(text::DecodeChar(rest).c) || rest[0] == '"' || rest[0] == ')';
    default: return false;
  }
}

}  // namespace

int64_t CountSyllables(std::string_view word) {
  int64_t count = 0;
  bool open = false;  // in a row of vowels
  for (size_t i = 0; i < word.size(); ++i) {
    const bool vowel = IsVowel(word[i]) && (word[i] != 'y' || i > 0);
    if (vowel && !open) ++count;
    // Two vowels that are read apart: radio, video, actual; but not i after c, g, s, t: nation, special.
    if (vowel && open && i > 1) {
      const char before = word[i - 1], hard = word[i - 2];
      const bool soft = hard == 'c' || hard == 'g' || hard == 's' || hard == 't';
      if ((before == 'i' && (word[i] == 'a' || (word[i] == 'o' && word.substr(i + 1, 1) != "u")) && !soft) ||
          (before == 'e' && word[i] == 'o') || (before == 'u' && word[i] == 'a' && hard != 'q')) {
        ++count;
      }
    }
    open = vowel;
  }
  const auto at = [&](size_t from_end) { return from_end <= word.size() ? word[word.size() - from_end] : '\0'; };
  const auto consonant = [&](size_t from_end) { return at(from_end) != '\0' && !IsVowel(at(from_end)); };
  const auto hisses = [&](size_t from_end) {
    const char c = at(from_end);
    return c == 's' || c == 'x' || c == 'z' || c == 'c' || c == 'g' ||
           (c == 'h' && (at(from_end + 1) == 's' || at(from_end + 1) == 'c'));
  };
  if (at(1) == 'e' && consonant(2) && !(at(2) == 'l' && consonant(3))) {
    --count;  // make, but table
  } else if (at(1) == 's' && at(2) == 'e' && consonant(3) && !hisses(3) && !(at(3) == 'l' && consonant(4))) {
    --count;  // makes, but boxes, tables
  } else if (at(1) == 'd' && at(2) == 'e' && consonant(3) && at(3) != 't' && at(3) != 'd') {
    --count;  // walked, but wanted
  } else if (at(1) == 'm' && at(2) == 's') {
    ++count;  // prism
  }
  return count < 1 ? 1 : count;
}

Readability MeasureReadability(std::string_view text) {
  Readability result;
  std::string word;
  bool foreign = false, holds = false;  // the word has other letters; the sentence has something that counts
  const auto close_word = [&] {
    if (!word.empty() && !foreign) {
      ++result.words;
      result.syllables += CountSyllables(word);
      holds = true;
    }
    word.clear();
    foreign = false;
  };
  const auto close_sentence = [&] {
    close_word();
    if (holds) ++result.sentences;
    holds = false;
  };
  while (!text.empty()) {
    const text::DecodedChar d = text::DecodeChar(text);
    text.remove_prefix(d.length);
    const char32_t c = d.c;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      word.push_back(static_cast<char>(c | 0x20));
    } else if (c == '\'' || c == 0x2019) {
      continue;
    } else if (text::IsHan(c)) {
      close_word();
      ++result.characters;
      result.common += IsCommon(c) ? 1 : 0;
      holds = true;
    } else if (text::IsLetter(c) || text::IsNumber(c) || text::IsMark(c)) {
      word.push_back('?');
      foreign = true;
    } else if (EndsSentence(c, text)) {
      close_sentence();
    } else {
      close_word();
    }
  }
  close_sentence();
  return result;
}

double Readability::flesch_reading_ease() const {
  return words == 0 ? kUndefined : 206.835 - 1.015 * Ratio(words, sentences) - 84.6 * Ratio(syllables, words);
}
double Readability::flesch_kincaid_grade() const {
  return words == 0 ? kUndefined : 0.39 * Ratio(words, sentences) + 11.8 * Ratio(syllables, words) - 15.59;
}
double Readability::characters_per_sentence() const {
  return characters == 0 ? kUndefined : Ratio(characters, sentences);
}
double Readability::common_share() const { return Ratio(common, characters); }

}  // namespace atelier::evaluate
