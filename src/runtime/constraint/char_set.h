// Sets of code points: sorted ranges. Surrogates are no characters and never in a set.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace atelier::runtime {

struct CharRange {
  char32_t first = 0, last = 0;  // inclusive
  bool operator==(const CharRange&) const = default;
};

class CharSet {
 public:
  CharSet() = default;
  CharSet(std::initializer_list<CharRange> ranges);
  static CharSet All();  // U+0000..U+10FFFF without surrogates

  CharSet Or(const CharSet& other) const;
  CharSet And(const CharSet& other) const;
  CharSet Negated() const;
  bool Contains(char32_t c) const;
  bool empty() const { return ranges_.empty(); }
  const std::vector<CharRange>& ranges() const { return ranges_; }  // sorted, apart from each other
  bool operator==(const CharSet&) const = default;

 private:
  void Normalise();
  std::vector<CharRange> ranges_;
};

// The set of a Unicode property by the name that \p{...} takes: L, Lu, Ll, M, N, P, S, Z (and their long names), Han,
// Latin (also Script=Han, sc=Han ...). Nothing for any other name. Computed once per property.
std::optional<CharSet> PropertySet(std::string_view name);

CharSet WhiteSpace();  // Unicode's White_Space

}  // namespace atelier::runtime
