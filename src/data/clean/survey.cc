#include "data/clean/survey.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/uscript.h>
#include <unicode/uset.h>

#include <algorithm>
#include <cstring>
#include <string>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/error.h"
#include "text/unicode.h"

namespace atelier::data::clean {
namespace {

constexpr char32_t kCodePoints = 0x110000;
// Assigned characters end here, but for the tags and selectors at U+E0000 and the private planes.
constexpr char32_t kPlain = 0x32400;

// Which characters a legacy character set can write.
std::vector<bool> Encodable(const char* charset) {
  std::vector<bool> can(0x10000);
  UErrorCode status = U_ZERO_ERROR;
  UConverter* converter = ucnv_open(charset, &status);
  USet* set = uset_openEmpty();
  if (U_SUCCESS(status)) ucnv_getUnicodeSet(converter, set, UCNV_ROUNDTRIP_SET, &status);
  for (int32_t i = 0; i < uset_getItemCount(set); ++i) {
    UChar32 first = 0, last = 0;
    status = U_ZERO_ERROR;
    if (uset_getItem(set, i, &first, &last, nullptr, 0, &status) != 0) continue;
    for (UChar32 c = first; c <= last && c < 0x10000; ++c) can[static_cast<size_t>(c)] = true;
  }
  uset_close(set);
  ucnv_close(converter);
  return can;
}

Class ClassOf(char32_t c) {
  using namespace text;
  const uint16_t bits = Properties(c);
  if (bits & kSpace) return kClassSpace;
  if (bits & kHan) return kClassHan;
  if (bits & kNumber) return kClassDigit;
  if (bits & kLetter) {
    if (c < 0x80) return kClassAscii;
    if (bits & kLatin) return kClassLatin;
    if ((c >= 0x3040 && c <= 0x30FF) || (c >= 0x31F0 && c <= 0x31FF) || (c >= 0xFF66 && c <= 0xFF9F)) return kClassKana;
    if ((c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x1100 && c <= 0x11FF) || (c >= 0x3130 && c <= 0x318F))
      return kClassHangul;
    return kClassLetter;
  }
  if (bits & kMark) return kClassMark;
  if (bits & kPunctuation) return kClassPunct;
  if (bits & kSymbol) return kClassSymbol;
  return kClassOther;
}

uint16_t TroubleOf(char32_t c) {
  uint16_t trouble = 0;
  const auto u = static_cast<UChar32>(c);
  const bool combines = u_getCombiningClass(u) != 0;
  if (combines || u_getIntPropertyValue(u, UCHAR_NFC_QUICK_CHECK) != UNORM_YES) trouble |= kNotNfc;
  if (combines || u_getIntPropertyValue(u, UCHAR_NFKC_QUICK_CHECK) != UNORM_YES) trouble |= kNotNfkc;
  if (c >= 0xFF01 && c <= 0xFF5E) {
    const char32_t ascii = c - 0xFEE0;
    const bool letter = (ascii | 0x20) >= 'a' && (ascii | 0x20) <= 'z';
    trouble |= letter || (ascii >= '0' && ascii <= '9') ? kWide : kWideMark;
  }
  if ((c >= 0xFF61 && c <= 0xFF9F)) trouble |= kWide;
  if (u_isUWhiteSpace(u) && c != ' ' && c != '\n') trouble |= kOddSpace;
  if ((c < 0x20 || (c >= 0x7F && c < 0xA0)) && c != '\n' && !u_isUWhiteSpace(u)) trouble |= kControl;
  switch (c) {
    case 0xAD:
    case 0x61C:
    case 0x180E:
    case 0x200B:
    case 0x200E:
    case 0x200F:
    case 0x2060:
    case 0xFEFF: trouble |= kInvisible; break;
    case 0x200C:
    case 0x200D: trouble |= kJoiner; break;
    case '<':
    case '&': trouble |= kMarkup; break;
    case 0xAB:
    case 0xBB:
    case 0x2039:
    case 0x203A: trouble |= kQuote; break;
    default: break;
  }
  if ((c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || (c >= 0xFFF9 && c <= 0xFFFB))
    trouble |= kInvisible;
  if (c >= 0x2018 && c <= 0x201F) trouble |= kQuote;
  return trouble;
}

}  // namespace

CharTable::CharTable() : index_(kCodePoints), values_(1) {
  const std::vector<bool> gb = Encodable("gb2312"), big5 = Encodable("Big5"), jis = Encodable("euc-jp");
  const std::vector<bool> shift = Encodable("Shift_JIS");
  // The commonest characters of grammar rather than matter, both scripts; what a list of keywords has few of.
  constexpr std::u32string_view kStop =
      U"的了是在不我有和就也都这這他她它们們你说說到要去会會着著没沒很為为之與与以及而但对對把被从從"
      U"吧吗嗎呢啊还還个個上下中里裡那所可";
  std::vector<uint8_t> index_of(0x10000);  // 0: not met yet
  for (char32_t c = 0; c < kCodePoints; ++c) {
    if (c == kPlain) c = 0xE0000;
    if (c == 0xE0200) break;
    auto value = static_cast<uint16_t>(ClassOf(c) | TroubleOf(c));
    if (c >= 0x3400 && c < 0xA000 && (value & 15) == kClassHan) {
      const bool china = gb[c] || big5[c], japan = shift[c] && jis[c];
      if (china != japan) value = static_cast<uint16_t>((value & ~15) | (china ? kClassHanChina : kClassHanJapan));
      if (kStop.find(c) != std::u32string_view::npos) value |= kStopHan;
    }
    if (value != 0 && index_of[value] == 0) index_of[value] = IndexOf(value);
    index_[c] = index_of[value];
  }
}

uint8_t CharTable::IndexOf(uint16_t value) {
  const auto at = std::find(values_.begin(), values_.end(), value);
  if (at != values_.end()) return static_cast<uint8_t>(at - values_.begin());
  if (values_.size() == 256) throw Error(Code::kInternal, "more kinds of characters than the table holds");
  values_.push_back(value);
  return static_cast<uint8_t>(values_.size() - 1);
}

void CharTable::MarkFold(char32_t c) { index_[c] = IndexOf(Of(c) | kFold); }

const CharTable& PlainCharTable() {
  static const CharTable* table = new CharTable;
  return *table;
}

Survey CharTable::Scan(std::string_view text) const {
  Survey survey;
  const uint8_t* const index = index_.data();
  const uint16_t* const values = values_.data();
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* const end = p + text.size();
  uint32_t trouble = 0, characters = 0, run = 0, longest = 0;
  char32_t before = 0;
  bool maybe_run = false;
#if defined(__SSE2__)
  alignas(16) static constexpr struct Ones {
    uint8_t of[16][16] = {};
    constexpr Ones() {
      for (int i = 0; i < 16; ++i) of[i][i] = 1;
    }
  } kOne;
  const __m128i zero = _mm_setzero_si128();
  __m128i classes = zero;  // one byte per class, emptied before one can overflow
  __m128i letters = zero, digits = zero, spaces = zero, symbols = zero;
  uint32_t pending = 0, blocks = 0, ascii = 0;
  const auto empty_classes = [&] {
    alignas(16) uint8_t bytes[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(bytes), classes);
    for (int i = 0; i < 16; ++i) survey.count[i] += bytes[i];
    classes = zero;
    pending = 0;
  };
  const auto sum = [&](__m128i bytes) {
    const __m128i sums = _mm_sad_epu8(bytes, zero);
    return static_cast<uint32_t>(_mm_cvtsi128_si32(sums) + _mm_cvtsi128_si32(_mm_srli_si128(sums, 8)));
  };
  const auto empty_ascii = [&] {
    const uint32_t l = sum(letters), d = sum(digits), s = sum(spaces), y = sum(symbols);
    survey.count[kClassAscii] += l;
    survey.count[kClassDigit] += d;
    survey.count[kClassSpace] += s;
    survey.count[kClassSymbol] += y;
    survey.count[kClassPunct] += blocks * 16 - l - d - s - y;
    letters = digits = spaces = symbols = zero;
    ascii += blocks * 16;
    blocks = 0;
  };
  // Unsigned c in [low, low + size): a saturating subtraction leaves nothing.
  const auto in = [&](__m128i c, char low, char size) {
    const __m128i shifted = _mm_sub_epi8(c, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_subs_epu8(shifted, _mm_set1_epi8(static_cast<char>(size - 1))), zero);
  };
  const auto is = [](__m128i c, char what) { return _mm_cmpeq_epi8(c, _mm_set1_epi8(what)); };
#endif
  while (p < end) {
    char32_t c = *p;
    if (c < 0x80) {
#if defined(__SSE2__)
      if (end - p >= 16) {
        const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));  // controls, and whatever is not ASCII
        const __m128i odd = _mm_or_si128(_mm_andnot_si128(is(v, '\n'), low), is(v, 0x7F));
        if (_mm_movemask_epi8(odd) == 0) {
          const __m128i letter = in(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 26);
          const __m128i space = _mm_or_si128(is(v, ' '), low);
          letters = _mm_sub_epi8(letters, letter);
          digits = _mm_sub_epi8(digits, in(v, '0', 10));
          spaces = _mm_sub_epi8(spaces, space);
          const __m128i angle = in(v, '<', 3);
          const __m128i symbol =
              _mm_or_si128(_mm_or_si128(_mm_or_si128(angle, is(v, '$')), _mm_or_si128(is(v, '+'), is(v, '^'))),
                           _mm_or_si128(is(v, '`'), _mm_or_si128(is(v, '|'), is(v, '~'))));
          symbols = _mm_sub_epi8(symbols, symbol);
          if (_mm_movemask_epi8(_mm_or_si128(is(v, '<'), is(v, '&'))) != 0) trouble |= kMarkup;
          // Three of one character in a row are rare; only then runs are counted, by another pass.
          const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 1));
          const __m128i second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 2));
          maybe_run |= _mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(v, next), _mm_cmpeq_epi8(v, second))) != 0;
          if (longest < 2 && (_mm_movemask_epi8(_mm_cmpeq_epi8(v, next)) & 0x7FFF) != 0) longest = 2;
          if (before == *p) {
            maybe_run |= run >= 2 || p[1] == *p;
            longest = std::max(longest, 2u);
          }
          before = p[15];
          run = p[15] == p[14] ? 2 : 1;
          if (++blocks == 255) empty_ascii();
          p += 16;
          continue;
        }
      }
#endif
      ++p;
    } else if (c >= 0xE0 && c < 0xF0) {
      c = (c & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
      p += 3;
#if defined(__SSE2__)
      // Han and their punctuation come in long runs: all but the last of one here.
      while (pending < 250 && p < end && *p >> 4 == 0xE) {
        const uint16_t info = values[index[c]];
        trouble |= info;
        run = c == before ? run + 1 : 1;
        before = c;
        longest = std::max(longest, run);
        ++characters;
        classes = _mm_add_epi8(classes, _mm_load_si128(reinterpret_cast<const __m128i*>(kOne.of[info & 15])));
        ++pending;
        c = (*p & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        p += 3;
      }
#endif
    } else if (c < 0xE0) {
      c = (c & 0x1F) << 6 | (p[1] & 0x3Fu);
      p += 2;
    } else {
      c = (c & 0x07) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
      p += 4;
    }
    const uint16_t info = values[index[c]];
    trouble |= info;
    run = c == before ? run + 1 : 1;
    before = c;
    longest = std::max(longest, run);
    ++characters;
#if defined(__SSE2__)
    classes = _mm_add_epi8(classes, _mm_load_si128(reinterpret_cast<const __m128i*>(kOne.of[info & 15])));
    if (++pending == 255) empty_classes();
#else
    ++survey.count[info & 15];
#endif
  }
#if defined(__SSE2__)
  empty_classes();
  empty_ascii();
  characters += ascii;
#endif
  if (maybe_run) {
    longest = run = 0;
    before = kCodePoints;
    for (size_t at = 0; at < text.size();) {
      const text::DecodedChar d = text::DecodeChar(text.substr(at));
      at += d.length;
      run = d.c == before ? run + 1 : 1;
      before = d.c;
      longest = std::max(longest, run);
    }
  }
  survey.characters = characters;
  survey.longest_run = std::max(longest, characters > 0 ? 1u : 0u);
  survey.trouble = static_cast<uint16_t>(trouble & ~15u);
  return survey;
}

}  // namespace atelier::data::clean
