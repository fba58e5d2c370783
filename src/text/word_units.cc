#include "text/word_units.h"

#include <unicode/uchar.h>

#include <array>
#include <memory>

#include "text/unicode.h"

namespace atelier::text {
namespace {

enum Class : uint8_t { kcOther, kcHan, kcMark, kcDigit, kcAlpha, kcSpace, kcLetters, kcExtend, kcPicture, kcFlag };

constexpr char32_t kJoiner = 0x200D, kEmojiStyle = 0xFE0F;

char32_t Fold(char32_t c) { return c >= 0xFF01 && c <= 0xFF5E ? c - 0xFEE0 : c; }

bool Is(char32_t c, UProperty property) { return u_hasBinaryProperty(static_cast<UChar32>(c), property); }

Class Classify(char32_t c) {
  const char32_t folded = Fold(c);
  if (folded >= '0' && folded <= '9') return kcDigit;
  if ((folded | 32) >= 'a' && (folded | 32) <= 'z') return kcAlpha;
  if (c >= 0x1F1E6 && c <= 0x1F1FF) return kcFlag;
  const uint16_t bits = Properties(c);
  if (bits & kSpace) return kcSpace;
  if (bits & kMark) return kcExtend;
  if (c == kJoiner || c == 0x200C) return kcExtend;
  if (bits & kHan) return bits & kPunctuation ? kcMark : kcHan;
  if (c >= 0x2190 && Is(c, UCHAR_EXTENDED_PICTOGRAPHIC)) return kcPicture;
  if (bits & kLetter) return bits & kLatin ? kcAlpha : kcLetters;
  if (bits & (kPunctuation | kSymbol)) return kcMark;
  if (bits & kNumber) return kcMark;  // ① ½
  return kcOther;
}

// The basic plane's classes, asked for once per character.
const std::array<uint8_t, 0x10000>& BasicClasses() {
  static const auto* table = [] {
    auto* made = new std::array<uint8_t, 0x10000>;
    for (char32_t c = 0; c < 0x10000; ++c) (*made)[c] = Classify(c);
    return made;
  }();
  return *table;
}

// Reads characters one after the other; `c` and `kind` are those at `at`, kind kcEnd at the end.
constexpr uint8_t kcEnd = 255, kcIllFormed = 254;

class Cutter {
 public:
  Cutter(std::string_view text, size_t from) : text_(text), classes_(BasicClasses()) { Load(from, &now_); }

  bool Done() const { return now_.kind == kcEnd; }

  TextUnit Next() {
    TextUnit unit{now_.at, Fold(now_.c), UnitKind::kOther, 0};
    switch (now_.kind) {
      case kcHan:
        unit.kind = UnitKind::kHan;
        Step();
        break;
      case kcMark:
        unit.kind = UnitKind::kMark;
        Marks();
        break;
      case kcDigit:
      case kcAlpha: Word(&unit); break;
      case kcSpace:
        unit.kind = UnitKind::kSpace;
        while (now_.kind == kcSpace) Step();
        return unit;
      case kcLetters:
        unit.kind = UnitKind::kLetters;
        while (now_.kind == kcLetters || now_.kind == kcExtend) Step();
        break;
      case kcPicture:
        unit.kind = UnitKind::kEmoji;
        Picture();
        break;
      case kcFlag:
        unit.kind = UnitKind::kEmoji;
        Step();
        if (now_.kind == kcFlag) Step();
        break;
      default: Step(); return unit;
    }
    while (now_.kind == kcExtend) Step();
    return unit;
  }

  size_t at() const { return now_.at; }

 private:
  struct Char {
    size_t at = 0;
    char32_t c = 0;
    uint8_t length = 0, kind = kcEnd;
  };

  void Load(size_t at, Char* out) const {
    out->at = at;
    if (at >= text_.size()) {
      *out = {at, 0, 0, kcEnd};
      return;
    }
    const auto first = static_cast<unsigned char>(text_[at]);
    if (first < 0x80) {
      *out = {at, first, 1, classes_[first]};
      return;
    }
    const DecodedChar d = DecodeChar(text_.substr(at, 4));
    *out = {at, d.c, d.length,
            !d.valid        ? kcIllFormed
            : d.c < 0x10000 ? classes_[d.c]
                            : static_cast<uint8_t>(Classify(d.c))};
  }
  void Step() { Load(now_.at + now_.length, &now_); }
  Char Peek() const {
    Char next;
    Load(now_.at + now_.length, &next);
    return next;
  }

  void Marks() {
    const char32_t c = now_.c;
    Step();
    if (c < 0x80 && std::string_view(".-=*_~#!?+").find(static_cast<char>(c)) != std::string_view::npos) {
      while (now_.c == c && now_.kind == kcMark) Step();
    } else if (now_.c == kEmojiStyle && Is(c, UCHAR_EMOJI)) {
      Step();
    }
  }

  // An emoji with its skin tone, style, tags, and what joiners add to it (UTS #51).
  void Picture() {
    Step();
    for (;;) {
      if (now_.kind == kcExtend || (now_.c >= 0x1F3FB && now_.c <= 0x1F3FF) ||
          (now_.c >= 0xE0020 && now_.c <= 0xE007F)) {
        const bool joins = now_.c == kJoiner;
        Step();
        if (joins && now_.kind == kcPicture) Step();
      } else {
        return;
      }
    }
  }

  bool StartsWith(std::string_view word) const {
    if (text_.size() - now_.at < word.size()) return false;
    for (size_t i = 0; i < word.size(); ++i) {
      if ((text_[now_.at + i] | 32) != (word[i] | 32)) return false;
    }
    return true;
  }

  static bool InLink(char c) {
    return c > 0x20 && c < 0x7F && std::string_view("<>\"'`{}|\\^()[]").find(c) == std::string_view::npos;
  }

  void Link() {
    size_t end = now_.at;
    while (end < text_.size() && InLink(text_[end])) ++end;
    while (end > now_.at + 1 && std::string_view(".,;:!?*").find(text_[end - 1]) != std::string_view::npos) --end;
    Load(end, &now_);
  }

  // now_ is the @ after a word: the domain is taken along if it has a dot.
  bool MailDomain() {
    Char c = Peek();
    bool dot = false;
    size_t end = now_.at;
    for (;;) {
      while (c.c < 0x80 && (c.kind == kcDigit || c.kind == kcAlpha || c.c == '-')) {
        end = c.at + c.length;
        Load(end, &c);
      }
      if (c.c != '.' || end == now_.at) break;
      Char after;
      Load(c.at + 1, &after);
      if (after.c >= 0x80 || (after.kind != kcDigit && after.kind != kcAlpha)) break;
      dot = true;
      c = after;
    }
    if (!dot) return false;
    Load(end, &now_);
    return true;
  }

  void Word(TextUnit* unit) {
    if (now_.c < 0x80 && (now_.c | 32) == 'h' && (StartsWith("http://") || StartsWith("https://"))) {
      unit->kind = UnitKind::kLink;
      return Link();
    }
    if (now_.c < 0x80 &&
        (((now_.c | 32) == 'w' && StartsWith("www.")) || ((now_.c | 32) == 'f' && StartsWith("ftp://")))) {
      unit->kind = UnitKind::kLink;
      return Link();
    }
    int digits = 0, letters = 0;
    bool fraction = false, time = false;
    uint8_t before = kcEnd;
    for (;;) {
      if (now_.kind == kcDigit || now_.kind == kcAlpha) {
        ++(now_.kind == kcDigit ? digits : letters);
        before = now_.kind;
        Step();
        continue;
      }
      if (now_.kind == kcExtend) {  // an accent; a keycap makes an emoji of a digit
        Step();
        continue;
      }
      if (now_.kind != kcMark) break;
      const char32_t mark = Fold(now_.c);
      const bool wide = now_.c != mark;
      const Char next = Peek();
      const bool digit_next = next.kind == kcDigit, alpha_next = next.kind == kcAlpha;
      if (before == kcDigit && digit_next && (mark == '.' || (mark == ',' && !wide))) {
        fraction = true;
      } else if (before == kcDigit && digit_next && !wide && (mark == ':' || mark == '-' || mark == '/')) {
        time = true;
      } else if (before == kcAlpha && alpha_next && (mark == '.' || mark == '\'' || mark == 0x2019 || mark == '&')) {
      } else if ((digit_next || alpha_next) && ((mark == '-' && !wide) || mark == '_')) {
      } else if (mark == '@' && !wide && (digit_next || alpha_next)) {
        if (!MailDomain()) break;
        unit->kind = UnitKind::kLink;
        return;
      } else if (before == kcDigit && letters == 0 && (mark == '%' || mark == 0x2030)) {
        Step();
        unit->kind = UnitKind::kNumber;
        unit->shape = 7;
        return;
      } else if (before == kcAlpha && digits == 0 && letters == 1 && (mark == '+' || mark == '#') && !wide) {
        Step();  // C#, C++
        if (mark == '+' && now_.c == '+') Step();
        letters = 2;
        break;
      } else {
        break;
      }
      Step();
    }
    if (letters == 0) {
      unit->kind = UnitKind::kNumber;
      unit->shape = static_cast<uint8_t>(time ? 8 : fraction ? 6 : digits > 5 ? 5 : digits);
    } else if (digits == 0) {
      unit->kind = UnitKind::kLatin;
      unit->shape = letters == 1;
    } else {
      unit->kind = UnitKind::kMixed;
    }
  }

  std::string_view text_;
  const std::array<uint8_t, 0x10000>& classes_;
  Char now_;
};

}  // namespace

size_t CutUnits(std::string_view text, size_t from, size_t most, std::vector<TextUnit>* units) {
  Cutter cutter(text, from);
  for (size_t count = 0; count < most && !cutter.Done(); ++count) units->push_back(cutter.Next());
  return cutter.at();
}

}  // namespace atelier::text
