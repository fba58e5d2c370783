#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "base/str.h"
#include "data/clean/markup_text.h"
#include "text/unicode.h"

namespace atelier::data::clean {
namespace {

bool IsAlpha(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool IsSpaceChar(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

constexpr std::string_view kBlocks[] = {
    "address", "article", "aside", "blockquote", "br",  "dd",      "div",   "dl", "dt",     "fieldset", "figure",
    "footer",  "form",    "h1",    "h2",         "h3",  "h4",      "h5",    "h6", "header", "hr",       "li",
    "main",    "nav",     "ol",    "p",          "pre", "section", "table", "td", "th",     "tr",       "ul"};

// HTML 4's names for U+00A0..U+00FF, in order.
constexpr std::string_view kLatin1 =
    "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute "
    "micro para "
    "middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil "
    "Egrave "
    "Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute "
    "Ucirc "
    "Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute "
    "icirc "
    "iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml ";

struct Named {
  std::string_view name;
  char32_t c;
};
constexpr Named kNamed[] = {
    {"amp", '&'},       {"lt", '<'},        {"gt", '>'},        {"quot", '"'},      {"apos", '\''},
    {"OElig", 0x152},   {"oelig", 0x153},   {"Scaron", 0x160},  {"scaron", 0x161},  {"Yuml", 0x178},
    {"fnof", 0x192},    {"circ", 0x2C6},    {"tilde", 0x2DC},   {"ensp", 0x2002},   {"emsp", 0x2003},
    {"thinsp", 0x2009}, {"zwnj", 0x200C},   {"zwj", 0x200D},    {"lrm", 0x200E},    {"rlm", 0x200F},
    {"ndash", 0x2013},  {"mdash", 0x2014},  {"lsquo", 0x2018},  {"rsquo", 0x2019},  {"sbquo", 0x201A},
    {"ldquo", 0x201C},  {"rdquo", 0x201D},  {"bdquo", 0x201E},  {"dagger", 0x2020}, {"Dagger", 0x2021},
    {"bull", 0x2022},   {"hellip", 0x2026}, {"permil", 0x2030}, {"prime", 0x2032},  {"Prime", 0x2033},
    {"lsaquo", 0x2039}, {"rsaquo", 0x203A}, {"oline", 0x203E},  {"frasl", 0x2044},  {"euro", 0x20AC},
    {"trade", 0x2122},  {"larr", 0x2190},   {"uarr", 0x2191},   {"rarr", 0x2192},   {"darr", 0x2193},
    {"harr", 0x2194},   {"rArr", 0x21D2},   {"hArr", 0x21D4},   {"forall", 0x2200}, {"part", 0x2202},
    {"exist", 0x2203},  {"empty", 0x2205},  {"isin", 0x2208},   {"notin", 0x2209},  {"sum", 0x2211},
    {"minus", 0x2212},  {"radic", 0x221A},  {"infin", 0x221E},  {"cap", 0x2229},    {"cup", 0x222A},
    {"int", 0x222B},    {"asymp", 0x2248},  {"ne", 0x2260},     {"equiv", 0x2261},  {"le", 0x2264},
    {"ge", 0x2265},     {"sub", 0x2282},    {"sup", 0x2283},    {"loz", 0x25CA},    {"spades", 0x2660},
    {"clubs", 0x2663},  {"hearts", 0x2665}, {"diams", 0x2666},  {"Alpha", 0x391},   {"Beta", 0x392},
    {"Gamma", 0x393},   {"Delta", 0x394},   {"Omega", 0x3A9},   {"alpha", 0x3B1},   {"beta", 0x3B2},
    {"gamma", 0x3B3},   {"delta", 0x3B4},   {"epsilon", 0x3B5}, {"lambda", 0x3BB},  {"mu", 0x3BC},
    {"pi", 0x3C0},      {"rho", 0x3C1},     {"sigma", 0x3C3},   {"tau", 0x3C4},     {"phi", 0x3C6},
    {"omega", 0x3C9},
};

char32_t NamedCharacter(std::string_view name) {
  for (const Named& one : kNamed) {
    if (one.name == name) return one.c;
  }
  size_t at = 0;
  for (char32_t c = 0xA0; c <= 0xFF; ++c) {
    const size_t end = kLatin1.find(' ', at);
    if (kLatin1.substr(at, end - at) == name) return c;
    at = end + 1;
  }
  return 0;
}

char32_t NumberedCharacter(uint32_t number) {
  static constexpr char16_t kWindows[32] = {0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021,
                                            0x2C6,  0x2030, 0x160,  0x2039, 0x152,  0x8D,   0x17D,  0x8F,
                                            0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                            0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};
  if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF)) return text::kReplacement;
  if (number >= 0x80 && number < 0xA0) return kWindows[number - 0x80];
  return number;
}

// The end of the tag that begins at `at`, behind its '>'; npos where none ends. Quoted values may hold '>'.
size_t TagEnd(std::string_view text, size_t at) {
  char quote = 0;
  for (size_t i = at + 1; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '>') {
      return i + 1;
    } else if ((c == '"' || c == '\'') && text[i - 1] == '=') {
      quote = c;
    }
  }
  return std::string_view::npos;
}

std::string_view TagName(std::string_view text, size_t at) {
  const size_t begin = at;
  while (at < text.size() && (IsAlpha(text[at]) || IsAsciiDigit(text[at]) || text[at] == '-')) ++at;
  return text.substr(begin, at - begin);
}

bool IsBlock(std::string_view name) {
  return std::any_of(std::begin(kBlocks), std::end(kBlocks),
                     [&](std::string_view block) { return EqualsIgnoreCase(block, name); });
}

// Where "</name" followed by a space, '/' or '>' begins, or npos.
size_t FindClose(std::string_view text, size_t from, std::string_view name) {
  while ((from = text.find("</", from)) != std::string_view::npos) {
    if (EqualsIgnoreCase(TagName(text, from + 2), name)) return from;
    from += 2;
  }
  return from;
}

}  // namespace

void StripTags(std::string_view text, std::string* out) {
  // A tag that does not end is text; once one was not ended, no later one is either, so this stays linear.
  bool can_end = text.rfind('>') != std::string_view::npos;
  const size_t last = can_end ? text.rfind('>') : 0;
  size_t unclosed_comment = std::string_view::npos;
  for (size_t at = 0; at < text.size();) {
    const size_t open = can_end && at <= last ? text.find('<', at) : std::string_view::npos;
    if (open == std::string_view::npos || open > last) {
      out->append(text.substr(at));
      return;
    }
    out->append(text.substr(at, open - at));
    const std::string_view rest = text.substr(open + 1);
    at = open + 1;
    if (rest.starts_with("!--")) {
      const size_t end = open < unclosed_comment ? text.find("-->", open + 4) : std::string_view::npos;
      if (end != std::string_view::npos) {
        at = end + 3;
        continue;
      }
      unclosed_comment = std::min(unclosed_comment, open);
      out->push_back('<');
      continue;
    }
    const bool closing = rest.starts_with('/');
    const std::string_view name = TagName(text, open + 1 + closing);
    const bool declaration = rest.starts_with('!') || rest.starts_with('?');
    if (!declaration && (name.empty() || !IsAlpha(name[0]))) {
      out->push_back('<');
      continue;
    }
    const size_t end = TagEnd(text, open);
    if (end == std::string_view::npos) {
      // An open quote ate the rest: take the next '>' instead.
      const size_t plain = text.find('>', open);
      at = plain + 1;
    } else {
      at = end;
    }
    if (!closing && (EqualsIgnoreCase(name, "script") || EqualsIgnoreCase(name, "style"))) {
      const size_t close = FindClose(text, at, name);
      if (close != std::string_view::npos) {
        const size_t close_end = text.find('>', close);
        at = close_end == std::string_view::npos ? text.size() : close_end + 1;
      }
      continue;
    }
    if (IsBlock(name)) out->push_back('\n');
  }
}

void DecodeEntities(std::string_view text, std::string* out) {
  constexpr size_t kLongest = 12;
  for (size_t at = 0; at < text.size();) {
    const size_t amp = text.find('&', at);
    out->append(text.substr(at, amp == std::string_view::npos ? amp : amp - at));
    if (amp == std::string_view::npos) return;
    const size_t end = text.substr(0, amp + 2 + kLongest).find(';', amp);
    char32_t c = 0;
    if (end != std::string_view::npos && end > amp + 1) {
      const std::string_view name = text.substr(amp + 1, end - amp - 1);
      if (name[0] == '#') {
        const bool hex = name.size() > 2 && (name[1] | 0x20) == 'x';
        const std::string_view digits = name.substr(hex ? 2 : 1);
        uint32_t number = 0;
        const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
        const bool whole = !digits.empty() && result.ptr == digits.data() + digits.size();
        if (whole && result.ec == std::errc()) c = NumberedCharacter(number);
        if (whole && result.ec == std::errc::result_out_of_range) c = text::kReplacement;
      } else {
        c = NamedCharacter(name);
      }
    }
    if (c == 0) {
      out->push_back('&');
      at = amp + 1;
    } else {
      text::AppendUtf8(out, c);
      at = end + 1;
    }
  }
}

namespace {

bool IsUrlChar(char c) {
  return static_cast<signed char>(c) > 0x20 && c != '<' && c != '>' && c != '"' && c != '`' && c != '{' && c != '}' &&
         c != '|' && c != '\\' && c != '^' && c != 0x7F;
}
bool IsWordByte(char c) { return IsAlpha(c) || IsAsciiDigit(c); }

size_t UrlStart(std::string_view text, size_t at) {
  for (const std::string_view scheme : {"http://", "https://", "ftp://", "www."}) {
    if (text.size() - at > scheme.size() && EqualsIgnoreCase(text.substr(at, scheme.size()), scheme)) {
      return scheme.size();
    }
  }
  return 0;
}

}  // namespace

void ReplaceUrls(std::string_view text, std::string_view mark, std::string* out) {
  size_t copied = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = static_cast<char>(text[at] | 0x20);
    if ((c != 'h' && c != 'f' && c != 'w') || (at > 0 && IsWordByte(text[at - 1]))) continue;
    const size_t head = UrlStart(text, at);
    if (head == 0) continue;
    size_t end = at + head;
    while (end < text.size() && IsUrlChar(text[end])) ++end;
    while (end > at + head && std::strchr(".,;:!?'\")]*_~", text[end - 1]) != nullptr) {
      // A closing bracket that the address opened is its own.
      if (text[end - 1] == ')' && text.substr(at, end - at - 1).find('(') != std::string_view::npos) break;
      --end;
    }
    if (end == at + head || !IsWordByte(text[at + head])) continue;
    out->append(text.substr(copied, at - copied)).append(mark);
    copied = end;
    at = end - 1;
  }
  out->append(text.substr(copied));
}

void ReplaceMails(std::string_view text, std::string_view mark, std::string* out) {
  const auto local = [](char c) { return IsWordByte(c) || (c != 0 && std::strchr("._%+-", c) != nullptr); };
  size_t copied = 0;
  for (size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    size_t begin = at;
    while (begin > copied && local(text[begin - 1])) --begin;
    while (begin < at && !IsWordByte(text[begin])) ++begin;
    size_t end = at + 1, dot = 0;
    while (end < text.size() && (IsWordByte(text[end]) || text[end] == '-' || text[end] == '.')) {
      if (text[end] == '.') dot = end;
      ++end;
    }
    while (end > at + 1 && !IsWordByte(text[end - 1])) --end;
    dot = text.substr(0, end).rfind('.');
    if (begin == at || dot == std::string_view::npos || dot <= at + 1 || end - dot < 3) continue;
    out->append(text.substr(copied, begin - copied)).append(mark);
    copied = end;
    at = end - 1;
  }
  out->append(text.substr(copied));
}

void StripMail(std::string_view text, std::string* out) {
  const size_t from = out->size();
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    const size_t next = end == std::string_view::npos ? text.size() : end + 1;
    end = end == std::string_view::npos ? text.size() : end;
    const std::string_view line = text.substr(at, end - at);
    const std::string_view bare = Trim(line);
    if (at > 0 &&
        (line == "--" || line == "-- " || bare.starts_with("Sent from my ") || bare.starts_with("发自我的") ||
         bare.starts_with("發自我的") || bare.starts_with("从我的") || bare == "________________________________" ||
         (bare.starts_with("-----") &&
          (bare.find("Original Message") != std::string_view::npos || bare.find("原始邮件") != std::string_view::npos ||
           bare.find("原始郵件") != std::string_view::npos ||
           bare.find("Forwarded message") != std::string_view::npos)))) {
      break;
    }
    if (!bare.starts_with('>')) out->append(text.substr(at, next - at));
    at = next;
  }
  while (out->size() > from && IsSpaceChar(out->back())) out->pop_back();
}

}  // namespace atelier::data::clean
