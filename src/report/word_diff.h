// What differs between two texts, word by word, for people to see.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::report {

enum class DiffKind : uint8_t { kSame, kGone, kCame };

// A run of pieces. All but kCame together are the text before, all but kGone the text after.
struct DiffRun {
  DiffKind kind = DiffKind::kSame;
  std::string text;
};

// The fewest words that went and came (Myers 1986, "An O(ND) difference algorithm and its variations"), a word being
// one of text/word_units.h: a Latin word, a number, one Chinese character, one mark. Where words on both sides of a
// space differ the space goes with them. Texts that differ in more than `most` words are shown as wholly different
// between what they begin and end with alike: the time is that of (words + most^2). Bytes that are not UTF-8 are
// U+FFFD.
std::vector<DiffRun> WordDiff(std::string_view before, std::string_view after, size_t most = 2000);

// Words that went and came.
size_t DiffWords(const std::vector<DiffRun>& runs);

// For a page: what went in <del>, what came in <ins>. Characters that nobody would see are shown by their number where
// they came or went. At most `most` bytes of either text.
std::string MarkedTogether(std::string_view before, std::string_view after, size_t most = 2000);
struct MarkedDifference {
  std::string before, after;
};
MarkedDifference MarkDifference(std::string_view before, std::string_view after, size_t most = 2000);

}  // namespace atelier::report
