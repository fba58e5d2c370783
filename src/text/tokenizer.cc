#include "text/tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "text/bpe.h"
#include "text/sentencepiece.h"
#include "text/unigram.h"
#include "text/wordpiece.h"

namespace atelier::text {

std::optional<std::vector<TokenId>> Tokenizer::EncodeBehind(std::string_view before, std::string_view text,
                                                            const EncodeOptions& options) const {
  const std::vector<TokenId> first = Encode(before, options);
  std::vector<TokenId> all = Encode(Cat(before, text), options);
  if (all.size() < first.size() || !std::equal(first.begin(), first.end(), all.begin())) return std::nullopt;
  all.erase(all.begin(), all.begin() + static_cast<int64_t>(first.size()));
  return all;
}

std::string Tokenizer::Decode(std::span<const TokenId> ids, bool special) const {
  std::string text;
  for (TokenId id : ids) text += Piece(id, special);
  return text;
}

std::unique_ptr<Tokenizer> MakeTokenizer(TokenizerSpec spec) {
  if (spec.model == "gpt2") return MakeBpe(std::move(spec));
  if (spec.model == "llama") return MakeSentencePiece(std::move(spec));
  if (spec.model == "t5") return MakeUnigram(std::move(spec));
  if (spec.model == "bert") return MakeWordPiece(std::move(spec));
  throw Error(
      Code::kUnsupported, Cat("tokenizer: unknown model ", Quote(spec.model)),
      "this build knows gpt2 (byte-level BPE), llama (SentencePiece), t5 (its unigram model) and bert (WordPiece)");
}

}  // namespace atelier::text
