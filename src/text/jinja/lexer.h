// A template's text as tokens, with white space already controlled: trim_blocks, lstrip_blocks, '-' and '+' signs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::text::jinja {

enum class Tok : uint8_t {
  kData,           // text between tags
  kVariableBegin,  // {{
  kVariableEnd,
  kBlockBegin,  // {%
  kBlockEnd,
  kName,
  kString,  // text is the unescaped value
  kInt,
  kFloat,
  kOp,  // text is the operator
  kEnd,
};

struct Token {
  Tok type = Tok::kEnd;
  int line = 1;
  std::string text;
  int64_t integer = 0;
  double real = 0;
};

// The last token is kEnd. Throws Error(kInvalidInput) "line: ...", in time linear in the source.
std::vector<Token> Tokenize(std::string_view source);

}  // namespace atelier::text::jinja
