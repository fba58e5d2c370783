// How tokenizer.json spells the pre-tokenizers of text/pretokenizers.h: one visible list.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace atelier::text {

struct JsonStep {
  enum Kind { kWords, kBytes, kDigits, kSplit } kind;  // ByteLevel with and without its regex, Digits, Split (isolated)
  std::string_view regex = {};                         // of kSplit
  bool operator==(const JsonStep&) const = default;
};

struct JsonRule {
  std::string_view pre;
  std::vector<JsonStep> steps;
  bool ignore_merges = false;  // a word that is a token is taken whole
};

// The first rule of a name is the one that is written.
std::span<const JsonRule> JsonRules();

}  // namespace atelier::text
