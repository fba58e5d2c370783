// What cleaning wants to know of a text before it touches it, found in one pass over its bytes: how many characters of
// each class, and which kinds of trouble occur at all. Most texts need nothing, and this pass says so.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace atelier::data::clean {

// Classes of characters that are counted. At most 16.
enum Class : uint8_t {
  kClassOther,     // controls, formats, private use, unassigned
  kClassSpace,     // White_Space
  kClassAscii,     // letters a-z, A-Z
  kClassLatin,     // other letters of the script Latin
  kClassDigit,     // \p{N} that is not Han
  kClassPunct,     // \p{P}
  kClassSymbol,    // \p{S}
  kClassHan,       // Han that China (GB 2312 or Big5) and Japan (JIS X 0208) both encode, or neither
  kClassHanChina,  // Han in GB 2312 or Big5 that JIS X 0208 does not have
  kClassHanJapan,  // Han in JIS X 0208 that neither GB 2312 nor Big5 has
  kClassKana,
  kClassHangul,
  kClassLetter,  // letters of all other scripts
  kClassMark,    // \p{M}
  kClasses
};

// Kinds of trouble, or-ed over a text.
enum Trouble : uint16_t {
  kNotNfc = 1 << 4,      // some character is not certainly stable under NFC
  kNotNfkc = 1 << 5,     // or under NFKC
  kWide = 1 << 6,        // full-width letters, digits, space, half-width katakana
  kWideMark = 1 << 7,    // full-width punctuation and symbols
  kOddSpace = 1 << 8,    // white space other than space and line feed
  kControl = 1 << 9,     // C0 and C1 controls that are not white space
  kInvisible = 1 << 10,  // zero-width and bidirectional controls, soft hyphen
  kQuote = 1 << 11,      // typographic quotation marks
  kFold = 1 << 12,       // a character that script folding may change
  kMarkup = 1 << 13,     // < or &
  kJoiner = 1 << 14,     // zero-width joiner and non-joiner
  kStopHan = 1 << 15,    // a Chinese function character; not trouble, a property that Tokens counts
};

struct Survey {
  uint32_t count[16] = {};  // [kClasses]
  uint32_t characters = 0;
  uint32_t longest_run = 0;  // of one character
  uint16_t trouble = 0;

  uint32_t han() const { return count[kClassHan] + count[kClassHanChina] + count[kClassHanJapan]; }
  uint32_t letters() const {
    return han() + count[kClassAscii] + count[kClassLatin] + count[kClassKana] + count[kClassHangul] +
           count[kClassLetter];
  }
};

// Words: a run of letters, marks and digits, or one Han or kana character.
struct Tokens {
  uint32_t words = 0;
  uint32_t stop_words = 0;  // of English, or Chinese function characters
  uint32_t english = 0;     // score of English function words
  uint32_t foreign = 0;     // the highest score that another language with Latin letters has
  uint32_t triples = 0;     // runs of three words among the first kMostTriples
  uint32_t repeated = 0;    // of these, no fewer than those that stood before in the same text; see Tokeniser::Repeated

  static constexpr uint32_t kMostTriples = 4096;
};

// Class in the low four bits, troubles above. Built once; kFold is marked by whoever folds. Stored as one byte per
// character that points into a short list of the values that occur, so that the common Han stay in the first-level
// cache.
class CharTable {
 public:
  CharTable();
  uint16_t Of(char32_t c) const { return values_[index_[c]]; }  // REQUIRES: c <= 0x10FFFF
  void MarkFold(char32_t c);

  // REQUIRES: `text` is valid UTF-8 with 64 readable bytes behind it.
  Survey Scan(std::string_view text) const;

 private:
  uint8_t IndexOf(uint16_t value);

  std::vector<uint8_t> index_;    // [0x110000]
  std::vector<uint16_t> values_;  // at most 256
};

// The table without folds, made at the first use.
const CharTable& PlainCharTable();

}  // namespace atelier::data::clean
