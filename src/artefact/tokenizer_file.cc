#include "artefact/tokenizer_file.h"

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "text/wordpiece.h"

namespace atelier::artefact {
namespace {

std::string ConfigPath(const std::string& path) {
  constexpr std::string_view kEnding = ".json";
  return (path.ends_with(kEnding) ? path.substr(0, path.size() - kEnding.size()) : path) + "_config.json";
}

}  // namespace

text::TokenizerSpec ReadTokenizerJson(const std::string& path, text::NormalForm nfc) {
  text::TokenizerSpec spec = text::ParseTokenizerJson(ReadFile(path, text::kMostTokenizerJson), path, nfc);
  const std::string config = ConfigPath(path);
  if (FileExists(config)) {
    text::ApplyTokenizerConfigJson(ReadFile(config, text::kMostTokenizerJson), config, &spec);
  }
  return spec;
}

void FillVocabulary(int64_t rows, const std::string& where, text::TokenizerSpec* spec) {
  if (static_cast<int64_t>(spec->tokens.size()) > rows) {
    throw Error(Code::kCorrupt, Cat(where, ": ", spec->tokens.size(), " tokens, where the embedding has ", rows));
  }
  if (spec->types.empty()) spec->types.resize(spec->tokens.size(), static_cast<uint8_t>(text::TokenType::kNormal));
  while (static_cast<int64_t>(spec->tokens.size()) < rows) {
    spec->tokens.push_back(Cat("[PAD", spec->tokens.size(), "]"));
    spec->types.push_back(static_cast<uint8_t>(text::TokenType::kUnused));
    if (!spec->scores.empty()) spec->scores.push_back(0);
  }
}

void WriteTokenizerJson(const text::TokenizerSpec& spec, const std::string& path) {
  WriteFileAtomic(path, text::ToTokenizerJson(spec));
  WriteFileAtomic(ConfigPath(path), text::ToTokenizerConfigJson(spec));
}

void WriteTokenizerToGguf(const text::TokenizerSpec& spec, GgufWriter& writer) {
  const auto key = [](std::string_view name) { return Cat("tokenizer.ggml.", name); };
  const size_t count = spec.tokens.size();
  if (count == 0) throw Error(Code::kInvalidInput, "tokenizer: the vocabulary is empty");
  for (const size_t size : {spec.scores.size(), spec.types.size()}) {
    if (size != 0 && size != count) {
      throw Error(Code::kInvalidInput, Cat("tokenizer: ", size, " scores or types for ", count, " tokens"));
    }
  }
  writer.Set(key("model"), spec.model);
  if (!spec.pre.empty()) writer.Set(key("pre"), spec.pre);
  writer.Set(key("tokens"), spec.tokens);
  if (!spec.scores.empty()) writer.Set(key("scores"), spec.scores);
  std::vector<int32_t> types(spec.types.begin(), spec.types.end());
  types.resize(count, static_cast<int32_t>(text::TokenType::kNormal));
  writer.Set(key("token_type"), types);
  if (spec.model == "gpt2") writer.Set(key("merges"), spec.merges);
  const auto id = [&](std::string_view name, text::TokenId token) {
    if (token >= 0) writer.Set(key(name), static_cast<uint32_t>(token));
  };
  id("bos_token_id", spec.bos);
  id("eos_token_id", spec.eos);
  if (spec.model == "bert") {
    id("cls_token_id", spec.bos);
    id("seperator_token_id", spec.eos);  // GGUF spells it so
    writer.Set(key("normalizer.lowercase"), spec.pre != text::kCased);
    writer.Set(key("normalizer.strip_accents"), spec.pre != text::kCased);
  }
  id("unknown_token_id", spec.unknown);
  id("padding_token_id", spec.padding);
  writer.Set(key("add_bos_token"), spec.add_bos);
  writer.Set(key("add_eos_token"), spec.add_eos);
  writer.Set(key("add_space_prefix"), spec.add_space_prefix);
  if (spec.model == "t5") {
    writer.Set(key("remove_extra_whitespaces"), spec.merge_spaces);
    if (!spec.charsmap.empty()) {
      std::string bytes;
      const auto put = [&](uint64_t value, int size) {
        for (int i = 0; i < size; ++i) bytes.push_back(static_cast<char>(value >> 8 * i));
      };
      put(static_cast<uint32_t>(GgufType::kUint8), 4);
      put(spec.charsmap.size(), 8);
      writer.SetRaw(key("precompiled_charsmap"), GgufType::kArray, bytes + spec.charsmap);
    }
  }
}

}  // namespace atelier::artefact
