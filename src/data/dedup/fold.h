// Texts as comparing sees them: folded (NFKC, case, ignorable characters gone), cut into words and single characters.
//
// Equal in effect to text::FoldForComparison followed by a cut at white space and punctuation, at a hundredth of its
// cost: a table per page of 256 characters, filled at its first use from that function. Text in which neighbours
// combine (marks, Hangul letters) takes the whole function's way.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace atelier::data {

// What a folded character is to a shingle.
enum class Unit : uint8_t {
  kGap,    // punctuation: between words, no part of a shingle
  kSpace,  // white space
  kWord,   // letters, digits and marks of scripts that write spaces: part of a word
  kAlone,  // Han, kana, Thai and its neighbours, symbols, emoji: a unit of its own
};

struct FoldedText {
  std::vector<char32_t> chars;  // folded; a run of white space is one U+0020, none at the ends
  std::vector<Unit> units;      // [chars]
  void Clear() {
    chars.clear();
    units.clear();
  }
};

// Folds `text` into `out`, which is emptied first. Total: bytes that are not UTF-8 count as U+FFFD. Thread-safe.
void Fold(std::string_view text, FoldedText* out);

}  // namespace atelier::data
