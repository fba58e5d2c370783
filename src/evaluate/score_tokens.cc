#include "evaluate/score_tokens.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::evaluate {

// What a character does to the borders around it.
enum ScoreTokenizer::Class : uint8_t {
  kWord,    // none
  kDigit,   // none, but it holds points beside it
  kPoint,   // stands alone unless digits hold it: see Scan
  kDash,    // stands alone behind a digit
  kSingle,  // stands alone
  kSpace,   // a border, and no part of a token
  kDecode,  // not a class: the bytes must be decoded
};

namespace {

bool In(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

// sacrebleu compares with ranges written as strings. Four ends have five hexadecimal digits behind \u, and Python reads
// such an end as a character and one more digit: extension B (20000 to 2a6d6) became U+2001 to U+2A6D, and the
// supplement (2f800 to 2fa1d) lies within the radicals. So dashes, quotes, arrows and box lines stand alone, and no
// character beyond U+FFFF does.
bool IsZh(char32_t c) {
  return In(c, 0x3400, 0x4DB5) || In(c, 0x4E00, 0x9FBB) || In(c, 0xF900, 0xFA2D) || In(c, 0xFA30, 0xFA6A) ||
         In(c, 0xFA70, 0xFAD9) || In(c, 0x2001, 0x2A6D) || In(c, 0xFF00, 0xFFEF) || In(c, 0x2E80, 0x2FDF) ||
         In(c, 0x3000, 0x303F) || In(c, 0x31C0, 0x31EF) || In(c, 0x2FF0, 0x2FFF) || In(c, 0x3100, 0x312F) ||
         In(c, 0x31A0, 0x31BF) || In(c, 0xFE10, 0xFE1F) || In(c, 0xFE30, 0xFE4F) || In(c, 0x3200, 0x33FF);
}

// What Tercom's Asian patterns separate: ideographs, strokes, radicals, compatibility forms, punctuation. Its patterns
// for kana are tied to the ends of a line that has a space at both, and never apply; the range for enclosed letters
// ends at U+3F22.
bool IsTercomAsian(char32_t c) {
  return In(c, 0x4E00, 0x9FFF) || In(c, 0x3400, 0x4DBF) || In(c, 0x31C0, 0x31EF) || In(c, 0x2E80, 0x2EFF) ||
         In(c, 0x3200, 0x33FF) || In(c, 0xF900, 0xFAFF) || In(c, 0xFE30, 0xFE4F);
}

// The characters that 13a, zh and Tercom separate always.
bool IsAsciiSymbol(unsigned char c) {
  return In(c, '{', '~') || In(c, '[', '`') || In(c, '!', '&') || In(c, '(', '+') || In(c, ':', '@') || c == '/';
}

}  // namespace

bool IsWidePythonSpace(char32_t c) {
  if (c < 0x1680 || c > 0x3000) return c == 0x85 || c == 0xA0;
  return c == 0x1680 || In(c, 0x2000, 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

std::string_view StripEnd(std::string_view line) {
  while (!line.empty()) {
    size_t length = 1;  // of the last character
    while (length < line.size() && length < 4 && (static_cast<uint8_t>(line[line.size() - length]) & 0xC0) == 0x80) {
      ++length;
    }
    const text::DecodedChar last = text::DecodeChar(line.substr(line.size() - length));
    if (!last.valid || last.length != length || !IsPythonSpace(last.c)) break;
    line.remove_suffix(length);
  }
  return line;
}

std::string_view StripBegin(std::string_view line) {
  while (!line.empty()) {
    const text::DecodedChar first = text::DecodeChar(line);
    if (!IsPythonSpace(first.c)) break;
    line.remove_prefix(first.length);
  }
  return line;
}

bool IsTercomPunctuation(char32_t c) {
  return In(c, 0x3001, 0x3002) || In(c, 0x3008, 0x3011) || In(c, 0x3014, 0x301F) || In(c, 0xFF61, 0xFF65) ||
         c == 0x30FB || c == 0xFF0E || c == 0xFF0C || c == 0xFF1F || In(c, 0xFF1A, 0xFF1B) || In(c, 0xFF01, 0xFF02) ||
         In(c, 0xFF08, 0xFF09);
}

ScoreTokenizer::ScoreTokenizer(Scheme scheme, bool lowercase) : scheme_(scheme), lowercase_(lowercase) {
  first_byte_.fill(kDecode);
  for (unsigned c = 0; c < 0x80; ++c) {
    Class kind = kWord;
    if (IsPythonSpace(c)) {
      kind = kSpace;
    } else if (scheme == Scheme::kChar) {
      kind = kSingle;
    } else if (scheme == Scheme::kIntl) {
      const uint16_t bits = text::Properties(c);
      kind = bits & text::kNumber        ? kDigit
             : bits & text::kPunctuation ? kPoint
             : bits & text::kSymbol      ? kSingle
                                         : kWord;
    } else if (scheme != Scheme::kNone) {
      kind = In(c, '0', '9')                          ? kDigit
             : c == '.' || c == ','                   ? kPoint
             : c == '-'                               ? kDash
             : IsAsciiSymbol(static_cast<uint8_t>(c)) ? kSingle
                                                      : kWord;
    }
    first_byte_[c] = kind;
  }
  switch (scheme) {
    case Scheme::kIntl:
      wide_ = [](char32_t c) {
        if (IsPythonSpace(c)) return kSpace;
        const uint16_t bits = text::Properties(c);
        return bits & text::kNumber        ? kDigit
               : bits & text::kPunctuation ? kPoint
               : bits & text::kSymbol      ? kSingle
                                           : kWord;
      };
      break;
    case Scheme::kZh: wide_ = [](char32_t c) { return IsPythonSpace(c) ? kSpace : IsZh(c) ? kSingle : kWord; }; break;
    case Scheme::kChar: wide_ = [](char32_t c) { return IsPythonSpace(c) ? kSpace : kSingle; }; break;
    case Scheme::kTercomAsian:
      wide_ = [](char32_t c) {
        return IsPythonSpace(c) ? kSpace : IsTercomAsian(c) || IsTercomPunctuation(c) ? kSingle : kWord;
      };
      break;
    default:
      wide_ = [](char32_t c) { return IsPythonSpace(c) ? kSpace : kWord; };
      // Only these bytes begin a white space; all others are part of a word, whatever they are.
      for (unsigned c = 0x80; c < 0x100; ++c) {
        if (c != 0xC2 && !In(c, 0xE1, 0xE3)) first_byte_[c] = kWord;
      }
  }
}

inline ScoreTokenizer::Class ScoreTokenizer::ClassOf(std::string_view line, size_t at, size_t* length) const {
  const Class kind = first_byte_[static_cast<uint8_t>(line[at])];
  *length = 1;
  if (kind != kDecode) return kind;
  const text::DecodedChar c = text::DecodeChar(line.substr(at));
  *length = c.length;
  return wide_(c.c);
}

// The patterns of 13a separate a point (a comma, in intl any punctuation) from what is before it unless that is a
// digit, then from what is behind it unless that is a digit. Since a match takes both characters, in a run of points
// every second one is tried only, which is seen at the run's end: the last one stays with a digit behind it where the
// run is even (behind no digit) or odd (behind a digit); a point between two digits stays with both.
void ScoreTokenizer::Scan(std::string_view line, std::vector<std::string_view>* tokens) const {
  // 13a and Tercom put a space at both ends of the line; zh and intl do not, so that there the patterns find nothing
  // beside a point, which is as if there were a digit.
  const bool held_at_ends = scheme_ == Scheme::kZh || scheme_ == Scheme::kIntl;
  const bool tercom = scheme_ == Scheme::kTercom || scheme_ == Scheme::kTercomAsian;
  constexpr size_t kNone = static_cast<size_t>(-1);
  size_t open = kNone;  // where the open token begins
  bool behind_digit = false;
  const auto close = [&](size_t at) {
    if (open != kNone) tokens->push_back(line.substr(open, at - open));
    open = kNone;
  };
  size_t length = 0;
  for (size_t at = 0; at < line.size(); at += length) {
    const Class kind = ClassOf(line, at, &length);
    switch (kind) {
      case kDash:
        if (behind_digit) {
          close(at);
          tokens->push_back(line.substr(at, length));
        } else if (open == kNone) {
          open = at;
        }
        behind_digit = false;
        break;
      case kSpace:
        close(at);
        behind_digit = false;
        break;
      case kSingle:
        close(at);
        tokens->push_back(line.substr(at, length));
        behind_digit = false;
        break;
      case kPoint: {
        size_t last = at, end = at + length, run = 1;
        bool before_digit = held_at_ends;
        while (end < line.size()) {
          size_t step = 0;
          const Class next = ClassOf(line, end, &step);
          before_digit = next == kDigit;
          if (next != kPoint) break;
          before_digit = held_at_ends;
          last = end;
          end += step;
          ++run;
        }
        const bool held = behind_digit || (at == 0 && held_at_ends);
        if (!(run == 1 && held && before_digit)) {
          close(at);
          const bool joined = before_digit && (run % 2 == 1) == held;
          for (size_t i = at; i < end;) {
            size_t step = 0;
            ClassOf(line, i, &step);
            if (i != last || !joined) tokens->push_back(line.substr(i, step));
            i += step;
          }
          if (joined) open = last;
        } else if (open == kNone) {
          open = at;
        }
        behind_digit = false;
        length = end - at;
        break;
      }
      default:
        if (tercom && line[at] == '\'' && at + 1 < line.size() && line[at + 1] == 's' &&
            (at + 2 == line.size() || line[at + 2] == ' ' ||
             (static_cast<uint8_t>(line[at + 2]) < 0x80 &&
              first_byte_[static_cast<uint8_t>(line[at + 2])] == kSingle))) {
          close(at);  // a possessive, with a space behind it once symbols have theirs
        }
        if (open == kNone) open = at;
        behind_digit = kind == kDigit;
    }
  }
  close(line.size());
}

void ScoreTokenizer::Split(std::string_view line, TokenLine* out) const {
  out->tokens.clear();
  line = StripEnd(line);
  if (lowercase_) {
    out->bytes = text::ToLower(line);
    line = out->bytes;
  }
  const bool tercom = scheme_ == Scheme::kTercom || scheme_ == Scheme::kTercomAsian;
  if (scheme_ == Scheme::kZh) line = StripBegin(line);
  if (scheme_ == Scheme::k13a || tercom) {
    const bool skipped = !tercom && line.find("<skipped>") != line.npos;
    const bool breaks = line.find('\n') != line.npos;
    if (skipped || breaks || line.find('&') != line.npos) {
      std::string text(line);
      if (skipped) text = ReplaceAll(text, "<skipped>", "");
      if (breaks) text = ReplaceAll(ReplaceAll(text, tercom ? "\n-" : "-\n", ""), "\n", " ");
      text = ReplaceAll(ReplaceAll(text, "&quot;", "\""), "&amp;", "&");
      out->bytes = ReplaceAll(ReplaceAll(text, "&lt;", "<"), "&gt;", ">");
      line = out->bytes;
    }
  }
  Scan(line, &out->tokens);
}

const std::vector<std::string>& SchemeNames() {
  static const std::vector<std::string> names = {"13a", "intl", "zh", "char", "none"};
  return names;
}

Scheme SchemeOf(const std::string& name, std::string_view whose) {
  const auto at = std::find(SchemeNames().begin(), SchemeNames().end(), name);
  if (at != SchemeNames().end()) return static_cast<Scheme>(at - SchemeNames().begin());
  throw Error(Code::kUsage, Cat(whose, ": there is no tokenizer ", Quote(name)), Join(SchemeNames(), ", "));
}

}  // namespace atelier::evaluate
