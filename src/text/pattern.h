// Patterns: the small part of regular expressions in which pre-tokenizers are published, matched in linear time.
//
// Knows: characters, escapes (\r \n \t \x{4E00} \\ ...), \s \S, \p{L} \p{M} \p{N} \p{P} \p{S} \p{Lu} \p{Ll}, classes
// [...] and
// [^...] with ranges and one level of intersection [a&&[^b]], the quantifiers ? * + {n} {m,n}, alternatives, groups
// (?:...) that are kept once matched, an end anchor $, a negative look-ahead (?!C) of one class. The first alternative
// that matches wins and loops are greedy, as in Perl and Python.
//
// Linear for the patterns of pretokenizers.cc: a loop gives back characters only until what follows it can begin, at
// most two loops stand in a row, and a loop that failed once is not walked again. No other source of patterns exists:
// Pattern is for our list, not for users' regexes (those are RE2's).
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::text {

// A text as code points with the properties that classes ask for; indexes are code points.
struct PatternText {
  explicit PatternText(std::u32string characters);
  std::u32string chars;
  std::vector<uint16_t> properties;
};

class CharClass {
 public:
  // One set, possibly complemented; a class is the intersection of its terms.
  struct Term {
    bool negated = false;
    uint16_t properties = 0;
    uint16_t without_properties = 0;  // \S: any character that lacks these
    std::vector<std::pair<char32_t, char32_t>> ranges;
  };
  explicit CharClass(std::vector<Term> terms);
  bool Has(char32_t c, uint16_t properties) const { return c < 128 ? ascii_[c] : Evaluate(c, properties); }

 private:
  bool Evaluate(char32_t c, uint16_t properties) const;
  std::vector<Term> terms_;
  std::bitset<128> ascii_;
};

class Pattern {
 public:
  // Throws Error(kInternal) for what it does not know.
  static Pattern Compile(std::string_view source);

  // Cuts [begin, end) of `text` into its matches and the stretches between them, and appends the end of each piece.
  // Look-aheads and $ see `end` as the end of the text.
  void Split(const PatternText& text, size_t begin, size_t end, std::vector<size_t>* ends) const;

 private:
  friend class PatternParser;
  struct Alternative;
  struct Item {
    enum Kind { kChars, kGroup, kNotNext, kAtEnd } kind = kChars;
    int chars = -1;  // index into classes_
    size_t least = 1, most = 1;
    std::vector<Alternative> group;
  };
  struct Alternative {
    std::vector<Item> items;
  };
  static constexpr size_t kNone = ~size_t{0};
  static constexpr size_t kMostAlternatives = 24;

  size_t Match(const Alternative& alternative, size_t item, const PatternText& text, size_t at, size_t end) const;

  std::vector<CharClass> classes_;
  std::vector<Alternative> alternatives_;
};

}  // namespace atelier::text
