#include "data/encoding.h"

#include <simdjson.h>
#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_set>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

size_t LineOf(std::string_view bytes, size_t offset) {
  return 1 + static_cast<size_t>(std::count(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(offset), '\n'));
}

std::string HexByte(char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  return {kDigits[value >> 4], kDigits[value & 15]};
}

void AppendCharacter(std::string* out, uint32_t c) {
  char buffer[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(reinterpret_cast<uint8_t*>(buffer), length, c);
  out->append(buffer, static_cast<size_t>(length));
}

// UTF-16 that can be cut anywhere.
class Utf16Decoder {
 public:
  explicit Utf16Decoder(bool big) : big_(big) {}
  void Decode(std::string_view bytes, bool last, std::string* out) {
    for (const char c : bytes) {
      const auto byte = static_cast<uint8_t>(c);
      if (!half_) {
        first_ = byte;
        half_ = true;
        continue;
      }
      half_ = false;
      Unit(big_ ? static_cast<uint32_t>(first_ << 8 | byte) : static_cast<uint32_t>(byte << 8 | first_), out);
    }
    if (last && (half_ || lead_ != 0)) out->push_back(TextDecoder::kBadByte);
  }

 private:
  void Unit(uint32_t c, std::string* out) {
    if (lead_ != 0) {
      const uint32_t lead = std::exchange(lead_, 0);
      if (U16_IS_TRAIL(c)) {
        AppendCharacter(out, static_cast<uint32_t>(U16_GET_SUPPLEMENTARY(lead, c)));
        return;
      }
      out->push_back(TextDecoder::kBadByte);
    }
    if (U16_IS_LEAD(c)) {
      lead_ = c;
    } else if (U16_IS_TRAIL(c)) {
      out->push_back(TextDecoder::kBadByte);
    } else if (c < 0x80) {
      out->push_back(static_cast<char>(c));
    } else {
      AppendCharacter(out, c);
    }
  }

  bool big_, half_ = false;
  uint8_t first_ = 0;
  uint32_t lead_ = 0;
};

// A table of ICU's, bytes in pieces.
class IcuDecoder {
 public:
  explicit IcuDecoder(const char* name) {
    UErrorCode status = U_ZERO_ERROR;
    converter_ = ucnv_open(name, &status);
    if (U_FAILURE(status)) throw Error(Code::kUnsupported, Cat("ICU here has no ", name), "install ICU's data");
    ucnv_setToUCallBack(converter_, UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
  }
  ~IcuDecoder() { ucnv_close(converter_); }
  IcuDecoder(const IcuDecoder&) = delete;
  IcuDecoder& operator=(const IcuDecoder&) = delete;

  void Decode(std::string_view bytes, bool last, std::string* out) {
    const char *source = bytes.data(), *limit = bytes.data() + bytes.size();
    UChar buffer[4096];
    while (true) {
      UChar* target = buffer;
      UErrorCode status = U_ZERO_ERROR;
      ucnv_toUnicode(converter_, &target, buffer + 4096, &source, limit, nullptr, last, &status);
      const auto units = static_cast<int32_t>(target - buffer);
      for (int32_t i = 0; i < units;) {
        UChar32 c = 0;
        if (lead_ != 0) {
          c = U16_GET_SUPPLEMENTARY(std::exchange(lead_, 0), buffer[i++]);
        } else if (c = buffer[i++]; U16_IS_LEAD(c)) {
          lead_ = c;
          continue;
        }
        if (c < 0x80) {
          out->push_back(static_cast<char>(c));
        } else {
          AppendCharacter(out, static_cast<uint32_t>(c));
        }
      }
      if (status == U_BUFFER_OVERFLOW_ERROR) continue;
      if (U_SUCCESS(status)) return;
      out->push_back(TextDecoder::kBadByte);  // the converter stands behind the bad bytes
      if (status == U_TRUNCATED_CHAR_FOUND || (source == limit && !last)) return;
    }
  }

 private:
  UConverter* converter_ = nullptr;
  UChar32 lead_ = 0;
};

constexpr const char* kGb18030Table = "GB18030";
constexpr const char* kBig5Table = "Big5-HKSCS";  // Big5 and what Hong Kong added

// The characters that any Chinese text is full of, in both scripts.
constexpr std::string_view kEveryday =
    "的一是不了在人有我他这這个個们們中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于於着著下自之年"
    "过過发發后後"
    "作里裡用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣理心她本前"
    "开開但因只从從"
    "想实實日军軍者意无無力它与與长長把机機十民第公此已工使情明性知全三又关關点點正业業外将將两兩高间間由问問很最重并並"
    "物手应應战戰向"
    "头頭文体體政美相见見被利什二等产產或新己制身果加西斯月话話合回特代内內信表化老给給世位次度门門任常先海通教儿兒原东"
    "東声聲提立及比"
    "员員解水名真论論处處走义義各入几幾口认認条條平系气氣题題活尔爾更别別打女变變四神总總何电電数數安少报報才结結反受目"
    "太量再感建务務"
    "做接必场場件计計管期市直德资資命山金指克许許统統区區保至队隊形社便空决決治展马馬科司五基眼书書非则則听聽白却卻界达"
    "達光放强強即像"
    "难難且权權思王象完设設式色路记記南品住告类類求据據程北边邊死张張该該交规規万萬取拉格望觉覺术術领領共确確传傳师師观"
    "觀清今切院让讓"
    "识識候带帶导導争爭运運";

struct Plausibility {
  size_t wide = 0, han = 0, odd = 0, everyday = 0;
  size_t pairs = 0, first_level = 0;
  double Score() const {
    if (wide == 0 || pairs == 0) return -1;
    return static_cast<double>(everyday) / static_cast<double>(wide) +
           static_cast<double>(first_level) / static_cast<double>(pairs) -
           20.0 * static_cast<double>(odd) / static_cast<double>(wide);
  }
  // A short text has to be spotless; in much text a few broken bytes are borne.
  bool Possible() const {
    return han > 0 && han * 2 >= wide && odd * 200 <= wide &&
           (odd == 0 || (first_level * 10 >= pairs * 8 && everyday * 20 >= wide)) &&
           (pairs < 8 || first_level * 10 >= pairs * 3) && (pairs < 40 || everyday * 12 >= wide);
  }
};

// How much `head` looks like the encoding. `trail` of the pairs and first level as the standards lay them out.
Plausibility Weigh(std::string_view head, bool whole, bool big5) {
  static const std::unordered_set<char32_t> everyday = [] {
    const std::u32string characters = text::DecodeUtf8(kEveryday);
    return std::unordered_set<char32_t>(characters.begin(), characters.end());
  }();
  Plausibility p;
  for (size_t at = 0; at + 1 < head.size();) {
    const auto lead = static_cast<uint8_t>(head[at]), trail = static_cast<uint8_t>(head[at + 1]);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    if (!big5 && trail >= 0x30 && trail <= 0x39) {  // four bytes
      ++p.pairs;
      at += 4;
      continue;
    }
    at += 2;
    if (lead >= 0xA1 && lead <= 0xA3) continue;  // punctuation in both
    ++p.pairs;
    p.first_level += big5 ? lead >= 0xA4 && lead <= 0xC6 : lead >= 0xB0 && lead <= 0xD7 && trail >= 0xA1;
  }
  std::string text;
  IcuDecoder(big5 ? kBig5Table : kGb18030Table).Decode(head, whole, &text);
  for (size_t at = 0; at < text.size();) {
    if (static_cast<uint8_t>(text[at]) < 0x80) {
      const auto c = static_cast<uint8_t>(text[at++]);
      p.odd += c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
      continue;
    }
    const text::DecodedChar next = text::DecodeChar(std::string_view(text).substr(at));
    at += next.length;
    ++p.wide;
    if (!next.valid) {
      ++p.odd;
      continue;
    }
    p.han += text::IsHan(next.c);
    p.everyday += everyday.contains(next.c);
    const int8_t type = u_charType(static_cast<UChar32>(next.c));
    p.odd += type == U_UNASSIGNED || type == U_PRIVATE_USE_CHAR || type == U_CONTROL_CHAR;
  }
  return p;
}

// UTF-16 without a mark: the zeros of ASCII and line ends stand on one side only.
std::optional<Encoding> Unmarked16(std::string_view head) {
  size_t zeros[2] = {};
  for (size_t i = 0; i < head.size(); ++i) zeros[i & 1] += head[i] == '\0';
  for (const bool big : {false, true}) {
    const size_t here = zeros[big ? 0 : 1], there = zeros[big ? 1 : 0];
    // A quarter: ASCII. Some, among bytes that are no UTF-8: Chinese with line ends and digits.
    const bool ascii = here * 4 >= head.size(),
               mixed = here * 100 >= head.size() && FirstInvalidUtf8(head) != head.npos;
    if (head.size() < 4 || here < 5 * there || !(ascii || mixed)) continue;  // U+4E00 has a zero too
    std::string text;
    Utf16Decoder(big).Decode(head.substr(0, head.size() & ~size_t{3}), false, &text);
    if (text.find(TextDecoder::kBadByte) == std::string::npos) return big ? Encoding::kUtf16Be : Encoding::kUtf16Le;
  }
  return std::nullopt;
}

}  // namespace

std::string_view Name(Encoding encoding) {
  switch (encoding) {
    case Encoding::kUtf8: return "UTF-8";
    case Encoding::kUtf8Bom: return "UTF-8 with BOM";
    case Encoding::kUtf16Le: return "UTF-16LE";
    case Encoding::kUtf16Be: return "UTF-16BE";
    case Encoding::kGb18030: return "GB18030";
    case Encoding::kBig5: return "Big5";
  }
  return "";
}

std::optional<Encoding> EncodingByName(std::string_view name) {
  const std::string plain = ReplaceAll(ReplaceAll(ToLowerAscii(name), "-", ""), "_", "");
  if (plain == "utf8") return Encoding::kUtf8;
  if (plain == "utf16le" || plain == "utf16") return Encoding::kUtf16Le;
  if (plain == "utf16be") return Encoding::kUtf16Be;
  if (plain == "gb18030" || plain == "gbk" || plain == "gb2312" || plain == "cp936") return Encoding::kGb18030;
  if (plain == "big5" || plain == "big5hkscs" || plain == "cp950") return Encoding::kBig5;
  return std::nullopt;
}

size_t FirstInvalidUtf8(std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) return std::string_view::npos;
  const auto* data = reinterpret_cast<const uint8_t*>(text.data());
  size_t at = 0;
  while (at < text.size()) {
    if (data[at] < 0x80) {
      ++at;
      continue;
    }
    // One character at a time: ICU's macro counts in int32, a file may be larger.
    const int32_t room = static_cast<int32_t>(std::min<size_t>(text.size() - at, U8_MAX_LENGTH));
    int32_t step = 0;
    UChar32 c = 0;
    U8_NEXT(data + at, step, room, c);
    if (c < 0) return at;
    at += static_cast<size_t>(step);
  }
  return std::string_view::npos;
}

std::optional<Encoding> DetectEncoding(std::string_view head, bool whole) {
  if (head.starts_with("\xEF\xBB\xBF")) return Encoding::kUtf8Bom;
  if (head.starts_with("\xFF\xFE")) return Encoding::kUtf16Le;
  if (head.starts_with("\xFE\xFF")) return Encoding::kUtf16Be;
  if (const auto unmarked = Unmarked16(head)) return unmarked;
  const size_t bad = FirstInvalidUtf8(head);
  if (bad == std::string_view::npos || (!whole && bad + 3 >= head.size())) return Encoding::kUtf8;
  // UTF-8 in which something is broken. Three bytes that fit together are hardly ever chance, two often are.
  size_t good = 0, sure = 0, broken = 0;
  for (size_t at = 0; at < head.size();) {
    if (static_cast<uint8_t>(head[at]) < 0x80) {
      ++at;
      continue;
    }
    const text::DecodedChar next = text::DecodeChar(head.substr(at));
    good += next.valid;
    sure += next.valid && next.length >= 3;
    broken += !next.valid && !(next.truncated && !whole);
    at += next.length;
  }
  if (sure > 0 && sure > broken) return Encoding::kUtf8;
  const Plausibility gb = Weigh(head, whole, false), big5 = Weigh(head, whole, true);
  if (gb.Possible() && (!big5.Possible() || gb.Score() >= big5.Score())) return Encoding::kGb18030;
  if (big5.Possible()) return Encoding::kBig5;
  if (good > 20 * broken) return Encoding::kUtf8;
  return std::nullopt;
}

struct TextDecoder::State {
  Encoding encoding;
  bool begun = false;
  std::string held;  // the beginning, until a mark would be whole
  std::unique_ptr<Utf16Decoder> utf16;
  std::unique_ptr<IcuDecoder> icu;
};

TextDecoder::TextDecoder(Encoding encoding, bool at_start) : state_(std::make_unique<State>()) {
  state_->begun = !at_start;
  state_->encoding = encoding;
  switch (encoding) {
    case Encoding::kUtf8:
    case Encoding::kUtf8Bom: break;
    case Encoding::kUtf16Le:
    case Encoding::kUtf16Be: state_->utf16 = std::make_unique<Utf16Decoder>(encoding == Encoding::kUtf16Be); break;
    case Encoding::kGb18030: state_->icu = std::make_unique<IcuDecoder>(kGb18030Table); break;
    case Encoding::kBig5: state_->icu = std::make_unique<IcuDecoder>(kBig5Table); break;
  }
}
TextDecoder::~TextDecoder() = default;

void TextDecoder::Decode(std::string_view bytes, bool last, std::string* out) {
  State& s = *state_;
  std::string first;
  if (!s.begun) {
    s.held.append(bytes);
    if (s.held.size() < 3 && !last) return;
    s.begun = true;
    first = std::move(s.held);
    bytes = first;
    const std::string_view mark = s.utf16 == nullptr                 ? "\xEF\xBB\xBF"
                                  : s.encoding == Encoding::kUtf16Be ? "\xFE\xFF"
                                                                     : "\xFF\xFE";
    if (bytes.starts_with(mark)) bytes.remove_prefix(mark.size());
  }
  if (s.utf16 != nullptr) {
    s.utf16->Decode(bytes, last, out);
  } else if (s.icu != nullptr) {
    s.icu->Decode(bytes, last, out);
  } else {
    out->append(bytes);
  }
}

Decoded DecodeText(std::string bytes, const std::string& file) {
  Decoded out;
  const std::optional<Encoding> encoding = DetectEncoding(bytes, true);
  const size_t bad = FirstInvalidUtf8(bytes);
  const auto refuse = [&](size_t at) {
    throw Error(Code::kInvalidInput,
                Cat(file, ":", LineOf(bytes, at), ": the byte 0x", HexByte(bytes[at]),
                    " is neither UTF-8 nor GB18030 nor Big5"),
                "save the file as UTF-8");
  };
  if (!encoding) refuse(bad);
  out.encoding = *encoding;
  switch (out.encoding) {
    case Encoding::kUtf8Bom: bytes.erase(0, 3); [[fallthrough]];
    case Encoding::kUtf8:
      if (const size_t at = FirstInvalidUtf8(bytes); at != std::string_view::npos) refuse(at);
      out.text = std::move(bytes);
      break;
    default: {
      out.text.reserve(bytes.size() * 3 / 2);
      TextDecoder(out.encoding).Decode(bytes, true, &out.text);
      const size_t at = out.text.find(TextDecoder::kBadByte);
      if (at == std::string::npos) break;
      const bool utf16 = out.encoding == Encoding::kUtf16Le || out.encoding == Encoding::kUtf16Be;
      if (utf16 && bytes.size() % 2 != 0 && at + 1 == out.text.size()) {
        throw Error(Code::kInvalidInput, Cat(file, ": UTF-16 with an odd number of bytes"),
                    "the file is cut off; save it again");
      }
      throw Error(Code::kInvalidInput,
                  Cat(file, ":", LineOf(out.text, at), ": ",
                      utf16 ? "half of a UTF-16 pair" : Cat("bytes that are not ", Name(out.encoding))),
                  "save the file as UTF-8");
    }
  }
  if (const size_t nul = out.text.find('\0'); nul != std::string::npos) {
    throw Error(Code::kInvalidInput, Cat(file, ":", LineOf(out.text, nul), ": a NUL byte; this is not a text file"),
                "export the table as CSV or JSONL in UTF-8");
  }
  return out;
}

}  // namespace atelier::data
