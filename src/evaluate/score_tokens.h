// The tokenizers that published scores name, by what they do to a line: 13a (mteval-v13a), intl (mteval-v14), zh
// (sacrebleu's, its gaps included), char, none, and Tercom's normalisation. sacrebleu 2.6 decides in every case (Post
// 2018); it rewrites a line by patterns one after the other, here one pass over the bytes finds the same borders.
//
// What is punctuation, a symbol or a number is Unicode 15's word.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

// White space as Python's str.isspace has it: White_Space and U+001C..U+001F.
bool IsWidePythonSpace(char32_t c);  // of those beyond ASCII
inline bool IsPythonSpace(char32_t c) {
  return c < 0x80 ? c <= 0x20 && (c == 0x20 || c >= 0x1C || (c >= 0x09 && c <= 0x0D)) : IsWidePythonSpace(c);
}
// Without white space at its end, by the same measure.
std::string_view StripEnd(std::string_view line);
std::string_view StripBegin(std::string_view line);
// The Asian punctuation that Tercom can separate or take away.
bool IsTercomPunctuation(char32_t c);

enum class Scheme { k13a, kIntl, kZh, kChar, kNone, kTercom, kTercomAsian };

// "13a", "intl", "zh", "char", "none": those that a score may name, in the order of Scheme.
const std::vector<std::string>& SchemeNames();
// Throws Error(kUsage), "bleu: there is no tokenizer 'x'" for the metric `whose`.
Scheme SchemeOf(const std::string& name, std::string_view whose);

struct TokenLine {
  std::vector<std::string_view> tokens;  // into the line that was split, or into `bytes`
  std::string bytes;
};

class ScoreTokenizer {
 public:
  explicit ScoreTokenizer(Scheme scheme, bool lowercase = false);
  // The tokens of a line: never empty ones, no white space in them. They live as long as `line` and *out.
  void Split(std::string_view line, TokenLine* out) const;

 private:
  enum Class : uint8_t;
  Class ClassOf(std::string_view line, size_t at, size_t* length) const;
  void Scan(std::string_view line, std::vector<std::string_view>* tokens) const;

  Scheme scheme_;
  bool lowercase_;
  std::array<Class, 256> first_byte_;  // kDecode: the character must be looked at
  Class (*wide_)(char32_t);            // of a character beyond ASCII
};

}  // namespace atelier::evaluate
