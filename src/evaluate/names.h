// Names that a text uses, by its looks: no model, and no list of all names.
//
// Latin and other cased letters: a word with a capital inside a sentence (Lisbon, iPhone, USB), neighbours taken as one
// name; at a sentence's beginning only a word with a further capital, or any in a sentence that has Chinese characters.
// Sentences In Title Case have no names but those. Chinese: places of a list, words before 公司, 大学, 省 and their
// like, surname and given name beside a title or a verb of saying, and 《works》.
//
// Honest limits: "Anna said" is not seen, nor is 小红说 or 达·芬奇 (the dot parts slogans as often), nor a place that
// the list lacks and nothing marks as one; a word with a capital for emphasis is taken for a name.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

struct Name {
  std::string kind;                  // "name" (cased letters), "place", "organisation", "person", "work"
  std::string text;                  // as it stands
  size_t begin = 0, end = 0;         // bytes
  std::vector<std::string> words{};  // of cased letters, for comparing: all are wanted
  std::vector<std::string> forms{};  // else: any is wanted
};

// In order, none overlapping. Any bytes; linear but for what a segmenter takes.
std::vector<Name> FindNames(std::string_view text);

// A text that names are looked up in.
class NameSource {
 public:
  explicit NameSource(std::string_view text);
  bool Has(const Name& name) const;

 private:
  std::string text_;             // lower case
  std::set<std::string> words_;  // of cased letters and digits, as in Name::words
};

}  // namespace atelier::evaluate
