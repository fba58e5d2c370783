// Which tokens of a text BERT has to guess (Devlin et al. 2019, section 3.1 and appendix C.1).
//
// Of n tokens that are no marks, max(1, round(share n)) are chosen: each becomes the mask in 8 of 10 cases, any other
// token of the vocabulary in 1, and stays in 1. With whole words, all tokens of a word are chosen together, as long as
// the number allows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "text/tokenizer.h"

namespace atelier::train {

class Masking {
 public:
  // Throws kUnsupported where the tokenizer has no mask.
  Masking(const text::Tokenizer& tokenizer, int64_t mask, double share, bool whole_words);

  // Hides some of `ids`; targets[i] is what ids[i] was where it is to be guessed, and is left alone elsewhere.
  void Hide(std::span<int64_t> ids, std::span<int64_t> targets, Rng* rng) const;

  // Whether each token begins a word. A word is a run of letters and digits; a Chinese character is a word of its own,
  // its bytes belong together; so is every other character, and every mark.
  std::vector<bool> BeginsWord(std::span<const int64_t> ids) const;

 private:
  enum class Edge : uint8_t { kOther, kLetter, kPartOfCharacter };
  static Edge EdgeOf(std::string_view bytes);  // of the first character
  struct Piece {
    Edge begins = Edge::kOther, ends = Edge::kOther;
    bool control = false;
  };
  std::vector<Piece> pieces_;      // [vocabulary]
  std::vector<int32_t> ordinary_;  // ids of tokens that are no marks
  int64_t mask_;
  double share_;
  bool whole_words_;
};

}  // namespace atelier::train
