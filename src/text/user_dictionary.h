// Words that a user wants kept whole.
//
// A file of UTF-8 lines: a word, then optionally a tab or a space and a weight (a number above 0). A word may have
// spaces in it; "Windows 10" is "Windows" with the weight 10, unless a tab and a weight follow. Lines that begin with
// '#' and empty lines are skipped. Without a weight the word always wins over the model; with one it wins where its
// weight outdoes what the model has against it: 1 is a nudge, 10 is nearly always. Where words of the dictionary
// overlap, the choice with the most characters in the longest words is taken.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/word_units.h"

namespace atelier::text {

class UserDictionary {
 public:
  struct Match {
    uint32_t first, count;  // units
    float weight;           // kAlways where the file gives none
  };
  static constexpr float kAlways = 1e6f;

  // Throws Error(kInvalidInput) with file:line for a weight that is no number above 0 (and at most 1000), a word of
  // more than 256 bytes or text that is not UTF-8.
  static UserDictionary Parse(std::string_view text, const std::string& file);

  void Add(std::string_view word, float weight);
  size_t size() const { return count_; }
  // All matches in `units` (which cut `text`), by their first unit. A match begins and ends where units do.
  void Find(std::string_view text, const std::vector<TextUnit>& units, size_t units_end,
            std::vector<Match>* matches) const;

 private:
  struct Edge {
    uint64_t key = ~uint64_t{0};  // node << 8 | byte
    int32_t child = -1;
  };
  int32_t Child(int32_t node, unsigned char byte) const;
  int32_t Grow(int32_t node, unsigned char byte);
  void Rehash();

  std::vector<Edge> edges_ = std::vector<Edge>(64);  // open addressing, a power of two
  std::vector<float> weights_{0};                    // [nodes]; 0: no word ends here
  size_t count_ = 0, used_ = 0;
};

}  // namespace atelier::text
