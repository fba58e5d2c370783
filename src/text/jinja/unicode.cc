#include "text/jinja/unicode.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstring>

namespace atelier::text::jinja {

int64_t CountPoints(std::string_view text) {
  int64_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

size_t OffsetOf(std::string_view text, int64_t point) {
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && point-- == 0) return i;
  }
  return text.size();
}

char32_t DecodeAt(std::string_view text, size_t* offset) {
  int64_t i = static_cast<int64_t>(*offset);
  UChar32 c;
  U8_NEXT(text.data(), i, static_cast<int64_t>(text.size()), c);
  *offset = static_cast<size_t>(i);
  return c < 0 ? 0xFFFD : static_cast<char32_t>(c);
}

void AppendPoint(std::string* out, char32_t point) {
  if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) point = 0xFFFD;
  char bytes[4];
  int length = 0;
  U8_APPEND_UNSAFE(bytes, length, point);
  out->append(bytes, static_cast<size_t>(length));
}

std::string Repair(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) AppendPoint(&out, DecodeAt(text, &i));
  return out;
}

bool IsSpace(char32_t c) {
  return (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}
bool IsLineBreak(char32_t c) {
  return (c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}
bool IsPrintable(char32_t c) {
  if (c == ' ') return true;
  const uint32_t hidden = U_GC_C_MASK | U_GC_Z_MASK;
  return (U_MASK(u_charType(static_cast<UChar32>(c))) & hidden) == 0;
}
bool IsAlpha(char32_t c) { return (U_MASK(u_charType(static_cast<UChar32>(c))) & U_GC_L_MASK) != 0; }

namespace {
int NumericType(char32_t c) { return u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_NUMERIC_TYPE); }
}  // namespace

bool IsDecimal(char32_t c) { return NumericType(c) == U_NT_DECIMAL; }
bool IsDigit(char32_t c) { return NumericType(c) == U_NT_DECIMAL || NumericType(c) == U_NT_DIGIT; }
bool IsNumeric(char32_t c) { return NumericType(c) != U_NT_NONE; }
bool IsUpper(char32_t c) { return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_UPPERCASE); }
bool IsLower(char32_t c) { return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_LOWERCASE); }
bool IsTitle(char32_t c) { return u_charType(static_cast<UChar32>(c)) == U_TITLECASE_LETTER; }
bool IsWord(char32_t c) { return c == '_' || IsAlpha(c) || IsNumeric(c); }
int DigitValue(char32_t c) { return IsDecimal(c) ? u_charDigitValue(static_cast<UChar32>(c)) : -1; }
bool IsNameStart(char32_t c) { return c == '_' || u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_XID_START); }
bool IsNamePart(char32_t c) { return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_XID_CONTINUE); }

namespace {

bool AllAscii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

template <typename Change>
std::string Changed(std::string_view text, Change change) {
  icu::UnicodeString units = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int>(text.size())));
  change(&units);
  std::string out;
  units.toUTF8String(out);
  return out;
}

}  // namespace

std::string Upper(std::string_view text) {
  if (!AllAscii(text)) return Changed(text, [](icu::UnicodeString* u) { u->toUpper(icu::Locale::getRoot()); });
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

std::string Lower(std::string_view text) {
  if (!AllAscii(text)) return Changed(text, [](icu::UnicodeString* u) { u->toLower(icu::Locale::getRoot()); });
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::string TitleCase(char32_t point) {
  // Full title case of one code point: for most the simple mapping, for a few (ß, ligatures) several letters.
  icu::UnicodeString units(static_cast<UChar32>(point));
  units.toTitle(nullptr, icu::Locale::getRoot(), U_TITLECASE_NO_LOWERCASE | U_TITLECASE_NO_BREAK_ADJUSTMENT);
  std::string out;
  units.toUTF8String(out);
  return out;
}

std::string FoldCase(std::string_view text) {
  return Changed(text, [](icu::UnicodeString* u) { u->foldCase(); });
}

size_t FindText(std::string_view text, std::string_view what, size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (what.empty()) return from;
  // glibc's memmem is two-way search; std::string::find can be quadratic.
  const void* hit = memmem(text.data() + from, text.size() - from, what.data(), what.size());
  return hit ? static_cast<size_t>(static_cast<const char*>(hit) - text.data()) : std::string_view::npos;
}

size_t FindLastText(std::string_view text, std::string_view what) {
  if (what.empty()) return text.size();
  if (what.size() == 1) return text.rfind(what[0]);
  const std::string a(text.rbegin(), text.rend()), b(what.rbegin(), what.rend());
  const size_t hit = FindText(a, b);
  return hit == std::string_view::npos ? hit : text.size() - hit - what.size();
}

}  // namespace atelier::text::jinja
