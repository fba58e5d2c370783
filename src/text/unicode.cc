#include "text/unicode.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/uset.h>

#include <cstring>
#include <map>
#include <vector>

namespace atelier::text {
namespace {

constexpr uint32_t kCodePoints = 0x110000;
constexpr uint32_t kPage = 256;

// Two stages: page number -> offset of a block of 256 property words. Equal blocks are stored once.
struct PropertyTable {
  uint32_t page[kCodePoints / kPage];
  std::vector<uint16_t> words;
};

uint16_t FromGeneralCategory(UCharCategory category) {
  const uint32_t mask = U_MASK(category);
  uint16_t bits = 0;
  if (mask & U_GC_L_MASK) bits |= kLetter;
  if (mask & U_GC_M_MASK) bits |= kMark;
  if (mask & U_GC_N_MASK) bits |= kNumber;
  if (mask & U_GC_P_MASK) bits |= kPunctuation;
  if (mask & U_GC_S_MASK) bits |= kSymbol;
  if (mask & U_GC_Z_MASK) bits |= kSeparator;
  if (mask & U_GC_CN_MASK) bits |= kUnassigned;
  if ((mask & U_GC_C_MASK) && !(mask & U_GC_CN_MASK)) bits |= kControlChar;
  if (mask & U_GC_LU_MASK) bits |= kUpper;
  if (mask & U_GC_LL_MASK) bits |= kLower;
  if (mask & U_GC_MN_MASK) bits |= kNonspacing;
  return bits;
}

void AddSet(UProperty property, int32_t value, uint16_t bit, std::vector<uint16_t>* flat) {
  UErrorCode status = U_ZERO_ERROR;
  USet* set = uset_openEmpty();
  uset_applyIntPropertyValue(set, property, value, &status);
  for (int32_t i = 0; i < uset_getItemCount(set); ++i) {
    UChar32 first = 0, last = 0;
    status = U_ZERO_ERROR;
    if (uset_getItem(set, i, &first, &last, nullptr, 0, &status) != 0) continue;  // a string, not a range
    for (UChar32 c = first; c <= last; ++c) (*flat)[c] |= bit;
  }
  uset_close(set);
}

UBool FillRange(const void* context, UChar32 start, UChar32 limit, UCharCategory category) {
  auto* flat = static_cast<std::vector<uint16_t>*>(const_cast<void*>(context));
  std::fill(flat->begin() + start, flat->begin() + limit, FromGeneralCategory(category));
  return true;
}

// Vocabularies of 2024 know Unicode 15.1; Debian's ICU has 15.0. These are all the characters that 15.1 added.
void AddUnicode151(std::vector<uint16_t>* flat) {
  const auto fill = [&](char32_t first, char32_t last, uint16_t bits) {
    for (char32_t c = first; c <= last; ++c) {
      if ((*flat)[c] & kUnassigned) (*flat)[c] = bits;
    }
  };
  fill(0x2FFC, 0x2FFF, kSymbol);           // ideographic description characters
  fill(0x31EF, 0x31EF, kSymbol);           // ideographic description character subtraction
  fill(0x2EBF0, 0x2EE5D, kLetter | kHan);  // CJK unified ideographs, extension I
}

const PropertyTable& Table() {
  static const PropertyTable* table = [] {
    std::vector<uint16_t> flat(kCodePoints, kUnassigned);
    u_enumCharTypes(FillRange, &flat);
    AddSet(UCHAR_WHITE_SPACE, 1, kSpace, &flat);
    AddSet(UCHAR_SCRIPT, USCRIPT_HAN, kHan, &flat);
    AddSet(UCHAR_SCRIPT, USCRIPT_LATIN, kLatin, &flat);
    AddUnicode151(&flat);
    auto* made = new PropertyTable;
    std::map<std::vector<uint16_t>, uint32_t> blocks;
    for (uint32_t page = 0; page < kCodePoints / kPage; ++page) {
      std::vector<uint16_t> block(flat.begin() + page * kPage, flat.begin() + (page + 1) * kPage);
      const auto [it, added] = blocks.emplace(std::move(block), made->words.size());
      if (added) made->words.insert(made->words.end(), it->first.begin(), it->first.end());
      made->page[page] = it->second;
    }
    return made;
  }();
  return *table;
}

icu::UnicodeString ToIcu(std::string_view text) {
  const std::string clean = SanitizeUtf8(text);
  return icu::UnicodeString::fromUTF8(icu::StringPiece(clean.data(), static_cast<int32_t>(clean.size())));
}

std::string FromIcu(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

std::string Normalize(const icu::Normalizer2* normalizer, std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString result = normalizer->normalize(ToIcu(text), status);
  return U_SUCCESS(status) ? FromIcu(result) : SanitizeUtf8(text);
}

bool IsZeroWidth(char32_t c) {
  if (c == 0xAD) return false;  // SOFT HYPHEN is shown by terminals
  const uint16_t bits = Properties(c);
  if (bits & kMark) return u_charType(static_cast<UChar32>(c)) != U_COMBINING_SPACING_MARK;
  if (c >= 0x1160 && c <= 0x11FF) return true;  // Hangul vowels and finals join the syllable before them
  return bits & kControlChar && !(u_charType(static_cast<UChar32>(c)) == U_PRIVATE_USE_CHAR);
}

int CharWidth(char32_t c) {
  if (c < 0x20 || c == 0x7F) return 0;
  if (c < 0x7F) return 1;
  if (IsZeroWidth(c)) return 0;
  const int wide = u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_EAST_ASIAN_WIDTH);
  return wide == U_EA_WIDE || wide == U_EA_FULLWIDTH ? 2 : 1;
}

// Walks `text` and adds up columns; stops before the first character that would exceed `limit` (-1: none).
int Measure(std::string_view text, int limit, size_t* bytes) {
  constexpr char32_t kJoiner = 0x200D, kEmojiStyle = 0xFE0F;
  int columns = 0, last = 0;
  bool joined = false;
  char32_t before = 0;
  size_t at = 0;
  while (at < text.size()) {
    const DecodedChar d = DecodeChar(text.substr(at));
    int width = CharWidth(d.c);
    if (d.c == kEmojiStyle && last == 1 && u_hasBinaryProperty(static_cast<UChar32>(before), UCHAR_EMOJI)) width = 1;
    if (joined && u_hasBinaryProperty(static_cast<UChar32>(d.c), UCHAR_EXTENDED_PICTOGRAPHIC)) width = 0;
    if (last == 2 && d.c >= 0x1F3FB && d.c <= 0x1F3FF) width = 0;  // skin tone on the emoji before it
    if (limit >= 0 && columns + width > limit) break;
    joined = d.c == kJoiner && last > 0;
    if (width > 0 && d.c != kEmojiStyle) {
      last = width;
      before = d.c;
    }
    columns += width;
    at += d.length;
  }
  if (bytes != nullptr) *bytes = at;
  return columns;
}

}  // namespace

DecodedChar DecodeChar(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char lead = p[0];
  if (lead < 0x80) return {lead, 1, true, false};
  if (lead < 0xC2 || lead > 0xF4) return {};
  const int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and numbers beyond U+10FFFF.
  unsigned char low = 0x80, high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  char32_t c = lead & (0x7F >> length);
  for (int i = 1; i < length; ++i) {
    if (static_cast<size_t>(i) >= text.size()) return {kReplacement, static_cast<uint8_t>(i), false, true};
    if (p[i] < low || p[i] > high) return {kReplacement, static_cast<uint8_t>(i), false, false};
    c = c << 6 | (p[i] & 0x3F);
    low = 0x80;
    high = 0xBF;
  }
  return {c, static_cast<uint8_t>(length), true, false};
}

std::u32string DecodeUtf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const DecodedChar d = DecodeChar(text.substr(at));
    out.push_back(d.c);
    at += d.length;
  }
  return out;
}

void AppendUtf8(std::string* out, char32_t c) {
  if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = kReplacement;
  const auto put = [&](char32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

std::string EncodeUtf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char32_t c : text) AppendUtf8(&out, c);
  return out;
}

bool IsValidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    uint64_t eight;
    if (text.size() - at >= sizeof(eight)) {
      std::memcpy(&eight, text.data() + at, sizeof(eight));
      if ((eight & 0x8080808080808080u) == 0) {
        at += sizeof(eight);
        continue;
      }
      // Three bytes, most of them Han: E1..EC and EE, EF take any two that follow.
      const auto lead = static_cast<unsigned char>(text[at]);
      if (lead > 0xE0 && lead < 0xF0 && lead != 0xED && (eight & 0xC0C000) == 0x808000) {
        at += 3;
        continue;
      }
    }
    const DecodedChar d = DecodeChar(text.substr(at));
    if (!d.valid) return false;
    at += d.length;
  }
  return true;
}

std::string SanitizeUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const DecodedChar d = DecodeChar(text.substr(at));
    if (d.valid) {
      out.append(text.substr(at, d.length));
    } else {
      AppendUtf8(&out, kReplacement);
    }
    at += d.length;
  }
  return out;
}

std::string ForTerminal(std::string_view text, size_t most) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (out.size() >= most) return out + "…";
    const DecodedChar d = DecodeChar(text.substr(at));
    const bool control = d.c < 0x20 || (d.c >= 0x7F && d.c < 0xA0);
    const bool turns = (d.c >= 0x202A && d.c <= 0x202E) || (d.c >= 0x2066 && d.c <= 0x2069);
    AppendUtf8(&out, d.valid && !control && !turns ? d.c : kReplacement);
    at += d.length;
  }
  return out;
}

std::string Utf8Stream::Append(std::string_view bytes) {
  held_.append(bytes);
  std::string out;
  size_t at = 0;
  while (at < held_.size()) {
    const DecodedChar d = DecodeChar(std::string_view(held_).substr(at));
    if (d.truncated) break;
    if (d.valid) {
      out.append(held_, at, d.length);
    } else {
      AppendUtf8(&out, kReplacement);
    }
    at += d.length;
  }
  held_.erase(0, at);
  return out;
}

std::string Utf8Stream::Finish() {
  std::string out = SanitizeUtf8(held_);
  held_.clear();
  return out;
}

uint16_t Properties(char32_t c) {
  static const PropertyTable& table = Table();
  if (c >= kCodePoints) return kUnassigned;
  return table.words[table.page[c / kPage] + c % kPage];
}

std::string Nfc(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  static const icu::Normalizer2* normalizer = icu::Normalizer2::getNFCInstance(status);
  return Normalize(normalizer, text);
}

std::string Nfd(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  static const icu::Normalizer2* normalizer = icu::Normalizer2::getNFDInstance(status);
  return Normalize(normalizer, text);
}

std::string FoldForComparison(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  static const icu::Normalizer2* normalizer = icu::Normalizer2::getNFKCCasefoldInstance(status);
  return Normalize(normalizer, text);
}

std::string ToLower(std::string_view text) {
  icu::UnicodeString value = ToIcu(text);
  return FromIcu(value.toLower(icu::Locale::getRoot()));
}

size_t CountChars(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) at += DecodeChar(text.substr(at)).length;
  return count;
}

int DisplayWidth(std::string_view text) { return Measure(text, -1, nullptr); }

std::string_view TakeColumns(std::string_view text, int columns) {
  size_t bytes = 0;
  Measure(text, columns < 0 ? 0 : columns, &bytes);
  return text.substr(0, bytes);
}

ScriptShares Scripts(std::string_view text) {
  size_t letters = 0, han = 0, latin = 0;
  for (size_t at = 0; at < text.size();) {
    const DecodedChar d = DecodeChar(text.substr(at));
    at += d.length;
    const uint16_t bits = Properties(d.c);
    if (!(bits & kLetter) && !(bits & kHan && bits & kNumber)) continue;  // 〇 is a number and Han
    ++letters;
    if (bits & kHan) ++han;
    if (bits & kLatin) ++latin;
  }
  ScriptShares shares;
  shares.letters = letters;
  if (letters == 0) return shares;
  shares.han = static_cast<double>(han) / letters;
  shares.latin = static_cast<double>(latin) / letters;
  shares.other = static_cast<double>(letters - han - latin) / letters;
  return shares;
}

}  // namespace atelier::text
