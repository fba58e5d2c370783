// Unicode for the rest of the program: UTF-8 in and out, character properties, normal forms, widths. ICU stays in the
// .cc; the properties that hot loops ask for come from a flat two-stage table that is built once, at the first use.
//
// Text is bytes that should be UTF-8. Bytes that are not become U+FFFD, one per maximal ill-formed subpart (Unicode 15
// §3.9, what Python's errors="replace" does). Everything here is thread-safe and total: no input throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace atelier::text {

inline constexpr char32_t kReplacement = 0xFFFD;

struct DecodedChar {
  char32_t c = kReplacement;
  uint8_t length = 1;      // bytes consumed, at least 1
  bool valid = false;      // false: c is kReplacement and stands for `length` ill-formed bytes
  bool truncated = false;  // ill-formed only because the bytes end here
};
// The first character of `text`. REQUIRES: text is not empty.
DecodedChar DecodeChar(std::string_view text);

std::u32string DecodeUtf8(std::string_view text);
void AppendUtf8(std::string* out, char32_t c);  // surrogates and numbers beyond U+10FFFF as U+FFFD
std::string EncodeUtf8(std::u32string_view text);
bool IsValidUtf8(std::string_view text);
std::string SanitizeUtf8(std::string_view text);
// Text from outside for a line on a terminal: valid UTF-8; control characters (an escape could move the cursor or turn
// the line around) as U+FFFD; at most `most` bytes, then an ellipsis.
std::string ForTerminal(std::string_view text, size_t most = 4000);

// Turns pieces of bytes (tokens) into pieces of valid UTF-8: holds back a character that is not complete yet, replaces
// what can no longer become one. The pieces together equal SanitizeUtf8 of all bytes together.
class Utf8Stream {
 public:
  std::string Append(std::string_view bytes);
  std::string Finish();  // what was held back, as U+FFFD; the stream is empty again
  bool pending() const { return !held_.empty(); }

 private:
  std::string held_;  // at most 3 bytes
};

// Properties of a character, or-ed together. The first eight are the general category's first letter.
enum Property : uint16_t {
  kLetter = 1,         // \p{L}
  kMark = 2,           // \p{M}
  kNumber = 4,         // \p{N}
  kPunctuation = 8,    // \p{P}
  kSymbol = 16,        // \p{S}
  kSeparator = 32,     // \p{Z}
  kControlChar = 64,   // \p{C} that is assigned: Cc, Cf, Co, Cs
  kUnassigned = 128,   // \p{Cn}
  kSpace = 256,        // White_Space, the regexes' \s
  kHan = 512,          // script Han
  kLatin = 1024,       // script Latin
  kUpper = 2048,       // \p{Lu}
  kLower = 4096,       // \p{Ll}
  kNonspacing = 8192,  // \p{Mn}
};
uint16_t Properties(char32_t c);  // of any number; beyond U+10FFFF: kUnassigned

inline bool IsLetter(char32_t c) { return Properties(c) & kLetter; }
inline bool IsMark(char32_t c) { return Properties(c) & kMark; }
inline bool IsNumber(char32_t c) { return Properties(c) & kNumber; }
inline bool IsPunctuation(char32_t c) { return Properties(c) & kPunctuation; }
inline bool IsSymbol(char32_t c) { return Properties(c) & kSymbol; }
inline bool IsSpace(char32_t c) { return Properties(c) & kSpace; }
// Marks and symbols of ASCII together, as C's ispunct has them.
inline bool IsAsciiPunctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}
inline bool IsHan(char32_t c) { return Properties(c) & kHan; }
inline bool IsNonspacingMark(char32_t c) { return Properties(c) & kNonspacing; }

std::string Nfc(std::string_view text);
std::string Nfd(std::string_view text);
// NFKC with case folding and default-ignorable characters removed: for comparing, never for showing.
std::string FoldForComparison(std::string_view text);
std::string ToLower(std::string_view text);  // full Unicode lower case, no locale

size_t CountChars(std::string_view text);  // code points; an ill-formed subpart counts as one
// Columns in a terminal: wide East Asian characters and emoji 2, marks and joiners 0, an emoji sequence one emoji.
int DisplayWidth(std::string_view text);
// The first characters of `text` that fit `columns`; never splits a character.
std::string_view TakeColumns(std::string_view text, int columns);

// Which share of a text's letters belongs to a script; all zero for a text without letters.
struct ScriptShares {
  size_t letters = 0;
  double han = 0, latin = 0, other = 0;
};
ScriptShares Scripts(std::string_view text);

}  // namespace atelier::text
