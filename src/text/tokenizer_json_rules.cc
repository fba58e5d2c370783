#include "text/tokenizer_json_rules.h"

namespace atelier::text {
namespace {

// Spelled out, contractions fold ASCII case only, as our rules do; (?i:...) takes "'ſ" for "'s" as well.
constexpr std::string_view kLlama3 =
    R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)re"
    R"re( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
constexpr std::string_view kLlama3Published = R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)re"
                                              R"re( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
constexpr std::string_view kQwen2 =
    R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)re"
    R"re( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";
constexpr std::string_view kQwen2Published = R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)re"
                                             R"re( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

}  // namespace

std::span<const JsonRule> JsonRules() {
  static const std::vector<JsonRule> list = {
      {"gpt-2", {{JsonStep::kWords}}},
      {"smollm", {{JsonStep::kDigits}, {JsonStep::kWords}}},
      {"llama-bpe", {{JsonStep::kSplit, kLlama3}, {JsonStep::kBytes}}, true},
      {"llama-bpe", {{JsonStep::kSplit, kLlama3Published}, {JsonStep::kBytes}}, true},
      {"dbrx", {{JsonStep::kSplit, kLlama3}, {JsonStep::kBytes}}},
      {"dbrx", {{JsonStep::kSplit, kLlama3Published}, {JsonStep::kBytes}}},
      {"qwen2", {{JsonStep::kSplit, kQwen2}, {JsonStep::kBytes}}},
      {"qwen2", {{JsonStep::kSplit, kQwen2Published}, {JsonStep::kBytes}}},
  };
  return list;
}

}  // namespace atelier::text
