#include "train/tokenizer_setup.h"

#include "base/str.h"
#include "text/bpe.h"

namespace atelier::train {

text::TokenizerSpec ByteTokenizer() {
  text::TokenizerSpec spec;
  spec.model = "gpt2";
  spec.pre = "gpt-2";
  const auto add = [&](std::string token, text::TokenType type) {
    spec.tokens.push_back(std::move(token));
    spec.types.push_back(static_cast<uint8_t>(type));
    return static_cast<text::TokenId>(spec.tokens.size()) - 1;
  };
  spec.bos = add("<s>", text::TokenType::kControl);
  spec.eos = add("</s>", text::TokenType::kControl);
  spec.padding = add("<pad>", text::TokenType::kControl);
  add("<mask>", text::TokenType::kControl);
  for (int byte = 0; byte < 256; ++byte) add(text::ByteSymbol(static_cast<uint8_t>(byte)), text::TokenType::kNormal);
  return spec;
}

}  // namespace atelier::train
