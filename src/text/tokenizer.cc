#include "text/tokenizer.h"

#include "base/error.h"
#include "base/str.h"
#include "text/bpe.h"
#include "text/sentencepiece.h"
#include "text/unigram.h"
#include "text/wordpiece.h"

namespace atelier::text {

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
