#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include "base/error.h"
#include "base/str.h"
#include "data/augment/operation.h"

namespace atelier::data {

std::span<const AugmentEntry> AllAugmentations() {
  static const std::vector<AugmentEntry> list = {
      {"noise", "slips of the keyboard: characters dropped, doubled, exchanged, or replaced by neighbours", &MakeNoise},
      {"synonyms", "words replaced by others of a dictionary", &MakeSynonyms},
      {"order", "words or clauses that change places", &MakeOrder},
      {"mask", "words replaced by a blank, or by words that the rest of the data makes likely", &MakeMask},
      {"crop", "pictures: a part, made as large as the whole", &MakeCrop},
      {"flip", "pictures: left and right, or top and bottom, change places", &MakeFlip},
      {"colour", "pictures: other brightness, contrast, saturation and hue", &MakeColour},
      {"shift", "sound: earlier or later", &MakeShift},
      {"gain", "sound: louder or softer", &MakeGain},
      {"speed", "sound: faster and higher, or slower and lower", &MakeSpeed},
      {"white_noise", "sound: noise at a distance in decibels", &MakeWhiteNoise},
  };
  return list;
}

std::vector<Token> CutWords(std::string_view text) {
  std::vector<Token> out;
  if (text.empty()) return out;
  UErrorCode status = U_ZERO_ERROR;
  // Made once per thread: it loads a dictionary.
  thread_local const std::unique_ptr<icu::BreakIterator> words(
      icu::BreakIterator::createWordInstance(icu::Locale::getChinese(), status));
  UText bytes = UTEXT_INITIALIZER;
  if (words != nullptr) utext_openUTF8(&bytes, text.data(), static_cast<int64_t>(text.size()), &status);
  if (words == nullptr || U_FAILURE(status)) throw Error(Code::kInternal, "ICU's word boundaries are not there");
  words->setText(&bytes, status);
  int32_t begin = words->first();
  for (int32_t end = words->next(); end != icu::BreakIterator::DONE; begin = end, end = words->next()) {
    out.push_back({text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)),
                   words->getRuleStatus() >= UBRK_WORD_NONE_LIMIT});
  }
  utext_close(&bytes);
  return out;
}

Range RangeOr(Table* table, std::string_view key, Range otherwise, double from, double to) {
  if (!table->Has(key)) return otherwise;
  const std::vector<double> ends = table->Doubles(key);
  if (ends.size() != 2 || !(from <= ends[0] && ends[0] <= ends[1] && ends[1] <= to)) {
    table->Refuse(key, Cat("wants [least, most] within ", from, " and ", to),
                  Cat(key, " = [", otherwise.least, ", ", otherwise.most, "]"));
  }
  return {ends[0], ends[1]};
}

std::string BesideConfig(const std::string& folder, const std::string& name) {
  return name.starts_with('/') || folder.empty() ? name : folder + "/" + name;
}

}  // namespace atelier::data
