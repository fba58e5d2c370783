// Texts as comparing sees them: folded (NFKC, case, ignorable characters gone) and cut into words and single
// characters.
//
// The bytes equal text::FoldForComparison with runs of white space made one, at a hundredth of its cost: sixteen ASCII
// bytes at a time, and for the rest a table per page of 256 characters that is filled at its first use from that
// function. Text in which neighbours combine (marks, Hangul letters) takes the whole function's way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::data {

// What the hashes of units and of shingles multiply by.
inline constexpr uint64_t kHashOdd = 0x9e3779b97f4a7c15ull, kHashOther = 0xbf58476d1ce4e5b9ull;

struct FoldedText {
  struct Run {  // units [the run before's end, end) are of one kind
    uint32_t end;
    bool words;
  };
  std::string_view text() const { return {bytes.data(), size}; }  // UTF-8; white space is one blank, none at the ends

  std::string bytes;  // memory that is used again: only the first `size` count
  size_t size = 0;
  std::vector<uint64_t>
      units;  // as many as the runs say. Hashes: of words (letters, digits and marks of scripts that write spaces), or
              // of characters that stand alone: Han, kana, Thai and its neighbours, symbols, emoji
  std::vector<Run> runs;
};

// Folds `text` into `out`, whose memory is used again. Total: bytes that are not UTF-8 count as U+FFFD. Thread-safe.
void Fold(std::string_view text, FoldedText* out);

}  // namespace atelier::data
