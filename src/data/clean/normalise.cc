// normalise: Unicode normal form, width, white space, controls, invisible characters, quotation marks.
//
//   form = "nfc" | "nfkc" | "none"
//   width = "letters" | "all" | "keep"     full-width to ASCII: letters, digits and space; or punctuation too.
//   Half-width
//                                          katakana to katakana with both.
//   space = "collapse" | "trim" | "keep"   other white space becomes a space or a line feed; runs become one, lines are
//                                          trimmed, at most one empty line stays ("collapse"); or only the ends are
//                                          trimmed
//   controls = true, invisible = true      drop C0/C1 controls; zero-width and bidirectional controls, soft hyphens
//   joiners = false                        drop zero-width joiners too (emoji and Indic scripts need them)
//   quotes = "keep" | "ascii"
//
// In this order: characters one by one, then the normal form, then white space; the result is a fixed point of the
// whole.
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "data/clean/operation.h"
#include "text/unicode.h"

namespace atelier::data::clean {
namespace {

enum class Form { kNone, kNfc, kNfkc };
enum class Width { kKeep, kLetters, kAll };
enum class Space { kKeep, kTrim, kCollapse };

constexpr char32_t kDrop = 0x110000;

// U+FF61..U+FF9F to what NFKC makes of them; the two voicing marks become combining ones.
constexpr char16_t kKatakana[] =
    u"。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリ"
    u"ルレロワン゙゚";
static_assert(sizeof(kKatakana) / sizeof(char16_t) - 1 == 0xFF9F - 0xFF61 + 1);

bool IsBlank(char c) { return c == ' ' || c == '\n'; }

// Whether collapsing would change anything in a text whose white space is spaces and line feeds alone.
bool HasLooseSpace(std::string_view text) {
  if (text.empty()) return false;
  if (IsBlank(text.front()) || IsBlank(text.back())) return true;
  // Between the ends only blanks side by side can be loose, and a pair of line feeds is not.
  const char* p = text.data();
  const char* const last = p + text.size() - 1;
#if defined(__SSE2__)
  const auto blank = [](__m128i v) {
    return _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
  };
  for (; last - p >= 16; p += 16) {
    const __m128i here = blank(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const __m128i next = blank(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 1)));
    uint32_t pairs = static_cast<uint32_t>(_mm_movemask_epi8(_mm_and_si128(here, next)));
    for (; pairs != 0; pairs &= pairs - 1) {
      const char* at = p + __builtin_ctz(pairs);
      if (at[0] != '\n' || at[1] != '\n' || IsBlank(at[2])) return true;
    }
  }
#endif
  for (; p < last; ++p) {
    if (IsBlank(p[0]) && IsBlank(p[1]) && (p[0] != '\n' || p[1] != '\n' || IsBlank(p[2]))) return true;
  }
  return false;
}

class Normalise : public Operation {
 public:
  explicit Normalise(Table* table) : fields_(table) {
    const std::string form = table->StringOr("form", "nfc");
    if (form != "nfc" && form != "nfkc" && form != "none") table->Refuse("form", "is not nfc, nfkc or none");
    form_ = form == "nfc" ? Form::kNfc : form == "nfkc" ? Form::kNfkc : Form::kNone;
    const std::string width = table->StringOr("width", "letters");
    if (width != "letters" && width != "all" && width != "keep") table->Refuse("width", "is not letters, all or keep");
    width_ = width == "letters" ? Width::kLetters : width == "all" ? Width::kAll : Width::kKeep;
    const std::string space = table->StringOr("space", "collapse");
    if (space != "collapse" && space != "trim" && space != "keep") {
      table->Refuse("space", "is not collapse, trim or keep");
    }
    space_ = space == "collapse" ? Space::kCollapse : space == "trim" ? Space::kTrim : Space::kKeep;
    const std::string quotes = table->StringOr("quotes", "keep");
    if (quotes != "ascii" && quotes != "keep") table->Refuse("quotes", "is not ascii or keep");
    one_by_one_ = 0;
    if (width_ != Width::kKeep) one_by_one_ |= kWide;
    if (width_ == Width::kAll) one_by_one_ |= kWideMark;
    if (space_ != Space::kKeep) one_by_one_ |= kOddSpace;
    if (table->BoolOr("controls", true)) one_by_one_ |= kControl;
    if (table->BoolOr("invisible", true)) one_by_one_ |= kInvisible;
    if (table->BoolOr("joiners", false)) one_by_one_ |= kJoiner;
    if (quotes == "ascii") one_by_one_ |= kQuote;
    UErrorCode status = U_ZERO_ERROR;
    if (form_ == Form::kNfc) normaliser_ = icu::Normalizer2::getNFCInstance(status);
    if (form_ == Form::kNfkc) normaliser_ = icu::Normalizer2::getNFKCInstance(status);
    in_form_ = form_ == Form::kNfc ? kNotNfc : form_ == Form::kNfkc ? kNotNfkc : 0;
  }

  std::string_view Apply(Row* row, Worker* worker) const override {
    fields_.Texts(row, [&](Field* field) {
      const uint16_t trouble = worker->SurveyOf(field).trouble;
      std::string_view text = field->text;
      bool kana = false;
      if (trouble & one_by_one_) text = OneByOne(text, worker, &kana);
      if ((trouble & in_form_) || kana) text = InForm(text, worker);
      if (space_ != Space::kKeep && HasLooseSpace(text)) {
        text = space_ == Space::kTrim ? Trimmed(text) : Collapsed(text, worker);
      }
      if (text.data() != field->text.data() || text.size() != field->text.size()) row->SetText(field, text);
    });
    return "";
  }

 private:
  char32_t Map(char32_t c, uint16_t trouble) const {
    if (trouble & (kControl | kInvisible | kJoiner)) return kDrop;
    if (c >= 0xFF01 && c <= 0xFF5E) return c - 0xFEE0;
    if (c >= 0xFF61 && c <= 0xFF9F) return kKatakana[c - 0xFF61];
    if (c >= 0x2018 && c <= 0x201B) return '\'';
    if (trouble & kQuote) return c == 0x2039 || c == 0x203A ? '\'' : '"';
    if (trouble & kOddSpace)
      return c == '\r' || c == 0x0B || c == 0x0C || c == 0x85 || c == 0x2028 || c == 0x2029 ? '\n' : ' ';
    return c;
  }

  std::string_view OneByOne(std::string_view text, Worker* worker, bool* kana) const {
    const CharTable& table = worker->table();
    char* const begin = worker->arena().Take(text.size());
    char* out = begin;
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    const unsigned char* const end = p + text.size();
    while (p < end) {
      char32_t c = *p;
      int length = 1;
      if (c >= 0x80) {
        if (c < 0xE0) {
          c = (c & 0x1F) << 6 | (p[1] & 0x3Fu);
          length = 2;
        } else if (c < 0xF0) {
          c = (c & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
          length = 3;
        } else {
          c = (c & 0x07) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
          length = 4;
        }
      }
      const uint16_t trouble = table.Of(c) & one_by_one_;
      if (trouble == 0) {
        std::memcpy(out, p, 4);  // the padding lets it
        out += length;
        p += length;
        continue;
      }
      p += length;
      if (c == '\r' && p < end && *p == '\n') continue;
      const char32_t mapped = Map(c, trouble);
      if (mapped == kDrop) continue;
      *kana |= c >= 0xFF61 && c <= 0xFF9F;
      if (mapped < 0x80) {
        *out++ = static_cast<char>(mapped);
      } else {
        *out++ = static_cast<char>(0xE0 | mapped >> 12);
        *out++ = static_cast<char>(0x80 | (mapped >> 6 & 0x3F));
        *out++ = static_cast<char>(0x80 | (mapped & 0x3F));
      }
    }
    const auto size = static_cast<size_t>(out - begin);
    worker->arena().Trim(begin, size);
    return {begin, size};
  }

  std::string_view InForm(std::string_view text, Worker* worker) const {
    UErrorCode status = U_ZERO_ERROR;
    static const icu::Normalizer2* const nfc = icu::Normalizer2::getNFCInstance(status);
    const icu::Normalizer2* normaliser = normaliser_ != nullptr ? normaliser_ : nfc;
    std::string& made = worker->scratch;
    made.clear();
    icu::StringByteSink<std::string> sink(&made);
    normaliser->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink, nullptr,
                              status);
    if (U_FAILURE(status) || made == text) return text;
    return worker->arena().Copy(made);
  }

  static std::string_view Trimmed(std::string_view text) {
    while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
    while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
    return text;
  }

  // Runs of spaces become one, spaces beside a line feed go, three line feeds become two, the ends are trimmed.
  static std::string_view Collapsed(std::string_view text, Worker* worker) {
    text = Trimmed(text);
    if (!HasLooseSpace(text)) return text;
    char* const begin = worker->arena().Take(text.size());
    char* out = begin;
    for (size_t at = 0; at < text.size();) {
      if (!IsBlank(text[at])) {
        *out++ = text[at++];
        continue;
      }
      size_t feeds = 0;
      while (at < text.size() && IsBlank(text[at])) feeds += text[at++] == '\n';
      if (feeds == 0) *out++ = ' ';
      for (size_t i = 0; i < feeds && i < 2; ++i) *out++ = '\n';
    }
    const auto size = static_cast<size_t>(out - begin);
    worker->arena().Trim(begin, size);
    return {begin, size};
  }

  FieldChoice fields_;
  Form form_;
  Width width_;
  Space space_;
  uint16_t one_by_one_, in_form_;
  const icu::Normalizer2* normaliser_ = nullptr;
};

}  // namespace

std::unique_ptr<Operation> MakeNormalise(Table* table) { return std::make_unique<Normalise>(table); }

}  // namespace atelier::data::clean
