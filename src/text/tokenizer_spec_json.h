// A tokenizer's specification as JSON, field by field: for tokenizers that tokenizer.json (text/tokenizer_json.h)
// cannot say, such as unigram models with a normaliser of their own. {"atelier.tokenizer": 1, "model": "t5", "tokens":
// [...]}.
#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace atelier::text {

// Throws kUnsupported where a token is not UTF-8.
std::string ToSpecJson(const TokenizerSpec& spec);
bool IsSpecJson(std::string_view json);
// Throws kCorrupt that names `where` and the field. MakeTokenizer checks what the fields say of each other.
TokenizerSpec ParseSpecJson(std::string_view json, const std::string& where);

}  // namespace atelier::text
