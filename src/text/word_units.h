// The smallest pieces that Chinese segmentation may join but never cut: one Han character or mark, or a whole number,
// Latin word, address, emoji sequence or stretch of white space, in ASCII or full width.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace atelier::text {

enum class UnitKind : uint8_t {
  kHan,      // one ideograph
  kMark,     // one punctuation mark or symbol, or a run of one ASCII mark ("...", "----")
  kNumber,   // digits with what belongs to them: 3.14, 1,000, 12:30, 2024-05-01, 40%
  kLatin,    // letters, inner - ' . & _ : don't, wi-fi, U.S., C++
  kMixed,    // letters and digits: 5G, iPhone15
  kLink,     // a URL or a mail address
  kSpace,    // a stretch of white space
  kEmoji,    // one picture, however many code points it takes
  kLetters,  // a run of another script (kana, Hangul, Cyrillic, Thai ...)
  kOther     // control characters, bytes that are not UTF-8
};

struct TextUnit {
  size_t begin;  // bytes from the text's begin; a unit ends where the next begins
  char32_t c;    // its first character, full width folded to ASCII
  UnitKind kind;
  uint8_t shape;  // kNumber: digits (1..5, 5 for more), 6 fraction or group, 7 percentage, 8 date or time;
                  // kLatin: 1 for a single letter; otherwise 0
};

// Appends the units of `text` from byte `from` on, at most `most` of them, and returns where the last one ends. Bytes
// that are not UTF-8 are units of their own, so nothing is lost. Linear.
size_t CutUnits(std::string_view text, size_t from, size_t most, std::vector<TextUnit>* units);

}  // namespace atelier::text
