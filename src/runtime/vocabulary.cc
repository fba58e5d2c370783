#include "runtime/vocabulary.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::runtime {

bool SpacesTexts(const artefact::GgufFile& file) {
  return file.String("tokenizer.ggml.model") == "llama" && SpecFromGguf(file).add_space_prefix;
}

std::unique_ptr<text::Tokenizer> TokenizerFromGguf(const artefact::GgufFile& file) {
  try {
    return text::MakeTokenizer(SpecFromGguf(file));
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with(file.path())) throw;
    throw error.Within(file.path());
  }
}

std::unique_ptr<text::Tokenizer> TokenizerFromGguf(const artefact::GgufFile& file, int64_t vocab) {
  auto tokenizer = TokenizerFromGguf(file);
  if (tokenizer->vocab_size() != vocab) {
    throw Error(Code::kCorrupt,
                Cat(file.path(), ": the tokenizer has ", tokenizer->vocab_size(), " tokens, the embedding ", vocab));
  }
  return tokenizer;
}

}  // namespace atelier::runtime
