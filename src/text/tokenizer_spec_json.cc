#include "text/tokenizer_spec_json.h"

#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

constexpr std::string_view kBegin = "{\"atelier.tokenizer\":1,";

std::string ToHex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

std::optional<std::string> FromHex(std::string_view hex) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

}  // namespace

std::string ToSpecJson(const TokenizerSpec& spec) {
  for (const std::string& token : spec.tokens) {
    if (!IsValidUtf8(token)) throw Error(Code::kUnsupported, "a tokenizer with tokens that are not UTF-8");
  }
  return ToText({{"atelier.tokenizer", 1},
                 {"model", spec.model},
                 {"pre", spec.pre},
                 {"bos", spec.bos},
                 {"eos", spec.eos},
                 {"unknown", spec.unknown},
                 {"padding", spec.padding},
                 {"end_of_generation", spec.end_of_generation},
                 {"add_bos", spec.add_bos},
                 {"add_eos", spec.add_eos},
                 {"add_space_prefix", spec.add_space_prefix},
                 {"merge_spaces", spec.merge_spaces},
                 {"charsmap", ToHex(spec.charsmap)},
                 {"tokens", spec.tokens},
                 {"scores", spec.scores},
                 {"types", spec.types},
                 {"merges", spec.merges}});
}

bool IsSpecJson(std::string_view json) { return json.starts_with(kBegin); }

TokenizerSpec ParseSpecJson(std::string_view text, const std::string& where) {
  const Json json = ParseJson(text, where);
  TokenizerSpec spec;
  try {
    json.at("model").get_to(spec.model);
    json.at("pre").get_to(spec.pre);
    json.at("tokens").get_to(spec.tokens);
    json.at("scores").get_to(spec.scores);
    json.at("types").get_to(spec.types);
    json.at("merges").get_to(spec.merges);
    json.at("end_of_generation").get_to(spec.end_of_generation);
    json.at("add_bos").get_to(spec.add_bos);
    json.at("add_eos").get_to(spec.add_eos);
    json.at("add_space_prefix").get_to(spec.add_space_prefix);
    json.at("merge_spaces").get_to(spec.merge_spaces);
    const auto id = [&](const char* name, TokenId* into) {
      const auto value = json.at(name).get<int64_t>();
      if (value < -1 || value >= static_cast<int64_t>(spec.tokens.size())) {
        throw Error(Code::kCorrupt, Cat(where, ": the tokenizer's ", name, " is ", value));
      }
      *into = static_cast<TokenId>(value);
    };
    id("bos", &spec.bos);
    id("eos", &spec.eos);
    id("unknown", &spec.unknown);
    id("padding", &spec.padding);
    const auto charsmap = FromHex(json.at("charsmap").get<std::string>());
    if (!charsmap) throw Error(Code::kCorrupt, Cat(where, ": the tokenizer's charsmap is not hexadecimal"));
    spec.charsmap = *charsmap;
  } catch (const Json::exception& error) {
    throw Error(Code::kCorrupt, Cat(where, ": the tokenizer: ", error.what()));
  }
  for (const size_t size : {spec.scores.size(), spec.types.size()}) {
    if (size != 0 && size != spec.tokens.size()) {
      throw Error(Code::kCorrupt,
                  Cat(where, ": the tokenizer has ", size, " scores or types for ", spec.tokens.size(), " tokens"));
    }
  }
  return spec;
}

}  // namespace atelier::text
