#include "text/fast_splitter.h"

#include <array>

#include "text/unicode.h"

namespace atelier::text {
namespace {

enum SplitClass : uint8_t { kOther, kWordLetter, kDigit, kBlank };

SplitClass SplitClassOf(char32_t c) {
  const uint16_t bits = Properties(c);
  return bits & kSpace ? kBlank : bits & kLetter ? kWordLetter : bits & kNumber ? kDigit : kOther;
}

const std::array<uint8_t, 0x10000>& SplitClasses() {
  static const auto* table = [] {
    auto* made = new std::array<uint8_t, 0x10000>;
    for (char32_t c = 0; c < 0x10000; ++c) (*made)[c] = SplitClassOf(c);
    return made;
  }();
  return *table;
}

// Walks valid UTF-8.
struct Walker {
  explicit Walker(std::string_view t) : text(t) {}
  std::string_view text;
  const uint8_t* classes = SplitClasses().data();

  unsigned char Byte(size_t at) const { return static_cast<unsigned char>(text[at]); }
  // The class and length of the character at `at`.
  SplitClass At(size_t at, size_t* length) const {
    const unsigned char a = Byte(at);
    if (a < 0x80) {
      *length = 1;
      return static_cast<SplitClass>(classes[a]);
    }
    if (a < 0xE0) {
      *length = 2;
      return static_cast<SplitClass>(classes[(a & 0x1F) << 6 | (Byte(at + 1) & 0x3F)]);
    }
    if (a < 0xF0) {
      *length = 3;
      return static_cast<SplitClass>(classes[(a & 0x0F) << 12 | (Byte(at + 1) & 0x3F) << 6 | (Byte(at + 2) & 0x3F)]);
    }
    *length = 4;
    return SplitClassOf(static_cast<char32_t>((a & 7) << 18 | (Byte(at + 1) & 0x3F) << 12 | (Byte(at + 2) & 0x3F) << 6 |
                                              (Byte(at + 3) & 0x3F)));
  }
  size_t RunEnd(size_t at, SplitClass wanted) const {
    size_t length;
    while (at < text.size() && At(at, &length) == wanted) at += length;
    return at;
  }
};

// Bytes of a contraction ('s, 'll ...) at `at`, or 0.
size_t Contraction(std::string_view text, size_t at, bool any_case) {
  const auto letter = [&](size_t i) {
    if (i >= text.size()) return '\0';
    const char c = text[i];
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
  };
  const char a = letter(at + 1);
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
  const char b = letter(at + 2);
  return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

constexpr bool IsLineEnd(char c) { return c == '\r' || c == '\n'; }

}  // namespace

std::optional<FastSplitter> FastSplitter::For(const PreTokenizer& rule) {
  constexpr std::string_view kGpt2Words =
      R"re('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)re";
  constexpr std::string_view kCl100kBegin =
      R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|)re";
  constexpr std::string_view kCl100kEnd = R"re(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
  const auto& patterns = rule.patterns;
  if (patterns.size() == 1 && patterns[0] == kGpt2Words) return FastSplitter(kGpt2, 0);
  if (patterns.size() == 2 && patterns[0] == R"re(\p{N})re" && patterns[1] == kGpt2Words) {
    return FastSplitter(kGpt2Digits, 1);
  }
  if (patterns.size() == 1 && patterns[0].starts_with(kCl100kBegin) && patterns[0].ends_with(kCl100kEnd)) {
    std::string_view digits = patterns[0].substr(kCl100kBegin.size());
    digits.remove_suffix(kCl100kEnd.size());
    if (digits == R"re(\p{N})re") return FastSplitter(kCl100k, 1);
    if (digits == R"re(\p{N}{1,3})re") return FastSplitter(kCl100k, 3);
  }
  return std::nullopt;
}

size_t FastSplitter::Gpt2End(std::string_view text, size_t at) const {
  const Walker walk(text);
  const bool digits_apart = kind_ == kGpt2Digits;
  if (text[at] == '\'') {
    if (const size_t size = Contraction(text, at, false)) return at + size;
  }
  size_t length;
  SplitClass first = walk.At(at, &length);
  size_t begin = at;
  if (text[at] == ' ' && at + 1 < text.size()) {
    size_t next_length;
    const SplitClass next = walk.At(at + 1, &next_length);
    if (next != kBlank && !(digits_apart && next == kDigit)) {
      begin = at + 1;
      first = next;
      length = next_length;
    }
  }
  if (digits_apart && first == kDigit) return begin + length;
  const size_t end = walk.RunEnd(begin + length, first);
  if (first != kBlank || end == text.size()) return end;
  // White space before a word leaves it its last character; before a digit that stands apart, the piece ends.
  size_t after;
  if (digits_apart && walk.At(end, &after) == kDigit) return end;
  size_t last = end - 1;
  while ((walk.Byte(last) & 0xC0) == 0x80) --last;
  return last == at ? end : last;
}

size_t FastSplitter::Cl100kEnd(std::string_view text, size_t at) const {
  const Walker walk(text);
  if (text[at] == '\'') {
    if (const size_t size = Contraction(text, at, true)) return at + size;
  }
  size_t length, next_length = 0;
  const SplitClass first = walk.At(at, &length);
  if (first == kWordLetter) return walk.RunEnd(at + length, kWordLetter);
  if (first == kDigit) {
    size_t end = at + length;
    for (int count = 1; count < digits_ && end < text.size() && walk.At(end, &length) == kDigit; ++count) end += length;
    return end;
  }
  const size_t after = at + length;
  const SplitClass next = after < text.size() ? walk.At(after, &next_length) : kBlank;
  if (next == kWordLetter && after < text.size() && !IsLineEnd(text[at])) {
    return walk.RunEnd(after + next_length, kWordLetter);
  }
  if (first == kOther || (text[at] == ' ' && next == kOther && after < text.size())) {
    size_t end = walk.RunEnd(after, kOther);
    while (end < text.size() && IsLineEnd(text[end])) ++end;
    return end;
  }
  const size_t end = walk.RunEnd(after, kBlank);
  for (size_t i = end; i > at; --i) {
    if (IsLineEnd(text[i - 1])) return i;
  }
  if (end == text.size()) return end;
  size_t last = end - 1;
  while ((walk.Byte(last) & 0xC0) == 0x80) --last;
  return last == at ? end : last;
}

}  // namespace atelier::text
