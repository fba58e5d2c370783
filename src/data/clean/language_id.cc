#include "data/clean/language_id.h"

#include <string>

#include "data/clean/tokens.h"

namespace atelier::data::clean {

void LanguageEvidence::Add(const Survey& survey, const Tokens& tokens) {
  for (int i = 0; i < kClasses; ++i) count[i] += survey.count[i];
  words += tokens.words;
  english += tokens.english;
  foreign += tokens.foreign;
}

std::string_view LanguageEvidence::Decide() const {
  const uint64_t han = count[kClassHan] + count[kClassHanChina] + count[kClassHanJapan];
  const uint64_t latin = count[kClassAscii] + count[kClassLatin];
  const uint64_t other = count[kClassHangul] + count[kClassLetter];
  const uint64_t kana = count[kClassKana];
  const uint64_t letters = han + latin + other + kana;
  if (letters == 0) return "";
  // A Han character says about as much as four Latin letters.
  const uint64_t east = 4 * (han + kana);
  if (4 * other > east + latin) return "other";
  if (3 * east >= latin) {
    // Japanese cannot do without kana for long; Chinese quotes a word of it now and then.
    if (10 * kana > han) return "other";
    if (kana == 0 && count[kClassHanJapan] > count[kClassHanChina]) return "other";
    return "zh";
  }
  if (foreign > english) return "other";
  // Words that both have ("in", "die", "make") decide nothing; then what looks foreign is.
  if (foreign == english && foreign > 0 && count[kClassLatin] > 0) return "other";
  // Accents: some in names, many in other languages.
  if (count[kClassLatin] * 25 > latin && count[kClassLatin] > english) return "other";
  return "en";
}

std::string_view LanguageOf(std::string_view text) {
  const std::string padded = std::string(text) + std::string(64, '\0');
  const std::string_view view(padded.data(), text.size());
  Tokeniser tokeniser(&PlainCharTable());
  LanguageEvidence evidence;
  evidence.Add(PlainCharTable().Scan(view), tokeniser.Count(view));
  return evidence.Decide();
}

}  // namespace atelier::data::clean
