#include "artefact/gguf_tokenizer.h"

#include "base/error.h"
#include "base/str.h"
#include "text/pretokenizers.h"
#include "text/wordpiece.h"

namespace atelier::artefact {
namespace {

constexpr std::string_view kPrefix = "tokenizer.ggml.";

}  // namespace

text::TokenizerSpec SpecFromGguf(const GgufFile& file) {
  const auto key = [](std::string_view name) { return Cat(kPrefix, name); };
  text::TokenizerSpec spec;
  spec.model = file.String(key("model"));
  spec.pre = file.StringOr(key("pre"), "");
  for (std::string_view token : file.Strings(key("tokens"))) spec.tokens.emplace_back(token);
  const size_t count = spec.tokens.size();
  if (file.Has(key("scores"))) {
    spec.scores = file.Floats(key("scores"));
    if (spec.scores.size() > count) spec.scores.resize(count);  // entries beyond the vocabulary mean nothing
  }
  if (file.Has(key("token_type"))) {
    for (int64_t type : file.Ints(key("token_type"))) {
      spec.types.push_back(type >= 1 && type <= 6 ? static_cast<uint8_t>(type) : uint8_t{1});
    }
    if (spec.types.size() > count) spec.types.resize(count);
  }
  const bool pieces = spec.model == "llama", unigram = spec.model == "t5", words = spec.model == "bert";
  if (!pieces && !unigram && !words && file.Has(key("merges"))) {
    for (std::string_view merge : file.Strings(key("merges"))) spec.merges.emplace_back(merge);
  } else if (spec.model == "gpt2") {
    throw Error(Code::kCorrupt,
                Cat(file.path(), ": ", key("merges"), " is missing, byte-level BPE cannot do without it"));
  }

  const auto id = [&](std::string_view name, text::TokenId otherwise) {
    const int64_t value = file.IntOr(key(name), -1);
    if (value >= 0 && static_cast<uint64_t>(value) < count) return static_cast<text::TokenId>(value);
    return otherwise >= 0 && static_cast<size_t>(otherwise) < count ? otherwise : -1;
  };
  spec.bos = words ? id("cls_token_id", id("bos_token_id", 101)) : id("bos_token_id", pieces ? 1 : -1);
  spec.eos = words ? id("seperator_token_id", id("eos_token_id", 102))  // GGUF spells it so
                   : id("eos_token_id", pieces    ? 2
                                        : unigram ? 1
                                                  : -1);
  spec.unknown = id("unknown_token_id", pieces ? 0 : unigram ? 2 : words ? 100 : -1);
  spec.padding = id("padding_token_id", -1);
  for (std::string_view name : {"eot_token_id", "eom_token_id"}) {
    if (const text::TokenId end = id(name, -1); end >= 0) spec.end_of_generation.push_back(end);
  }
  const text::PreTokenizer* rule = text::FindPreTokenizer(spec.pre);
  spec.add_bos = file.BoolOr(key("add_bos_token"), pieces || words || (rule != nullptr && rule->default_add_bos));
  spec.add_eos = file.BoolOr(key("add_eos_token"), unigram || (words && file.BoolOr(key("add_sep_token"), true)));
  if (words) {
    const bool small = file.BoolOr(key("normalizer.lowercase"), spec.pre != text::kCased);
    if (file.BoolOr(key("normalizer.strip_accents"), small) != small) {
      throw Error(Code::kUnsupported,
                  Cat(file.path(), ": ", key("normalizer.strip_accents"), " is not as ", key("normalizer.lowercase")));
    }
    spec.pre = small ? "" : std::string(text::kCased);
  }
  spec.add_space_prefix = file.BoolOr(key("add_space_prefix"), pieces || unigram);
  spec.merge_spaces = file.BoolOr(key("remove_extra_whitespaces"), false);
  if (unigram && file.Has(key("precompiled_charsmap"))) {
    for (int64_t byte : file.Ints(key("precompiled_charsmap"))) spec.charsmap.push_back(static_cast<char>(byte));
  }
  return spec;
}

}  // namespace atelier::artefact
