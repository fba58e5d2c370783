// The phrase grammar of one language, as docs/formats/grammar.md has it: classes that sort features by shape, word
// lists, and patterns of headlines and bodies.
//
// Parsing is strict: an unknown key, slot, filter, class or word list, an unbalanced brace, a circle of word lists, a
// bad regular expression and a repeated id each throw Error(kInvalidInput) "file:line: ...". A parsed grammar is
// immutable; share it freely between threads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config.h"

namespace re2 {
class RE2;
}

namespace atelier::operators {

inline constexpr int kMaxFeatureSlots = 5;  // f1 .. f5
inline constexpr int kMaxWordDepth = 4;     // word lists within word lists

enum class Part : uint8_t { kHeadline, kBody };
std::string_view Name(Part part);

enum class Filter : uint8_t { kCap, kLower, kA, kThe, kPlural, kBare, kTight };

// One piece of a pattern's text.
struct Piece {
  enum class Kind : uint8_t {
    kText,      // `text` itself
    kField,     // the record's field named `text`
    kFeature,   // the feature bound to slot `feature`
    kFeatures,  // all features, as a list
    kRest,      // the features that no slot of this expansion took, as a list
    kWords,     // one of the word list named `text`
  };
  Kind kind = Kind::kText;
  std::string text;
  int feature = 0;           // 1 .. kMaxFeatureSlots
  uint64_t classes = ~0ull;  // bit i: class i is accepted
  std::vector<Filter> filters;
  bool agrees = false;  // {name?is:are}: `singular` or `plural` by the number of the field or feature, not its text
  std::string singular, plural;
};

struct Phrase {
  std::vector<Piece> pieces;
};

struct Group;

// Conditions on the record; all that are given must hold.
struct When {
  std::vector<std::string> tone, category, audience, not_category, not_tone, not_audience;  // case folded
  std::vector<std::string> has;
  int min_features = 0, max_features = 1 << 20;
  std::vector<std::pair<std::string, int>> max_chars;
  std::vector<std::pair<std::string, std::shared_ptr<const re2::RE2>>> match, not_match;
  std::vector<std::string> singular, plural;  // fields whose noun is singular (plural)
  uint64_t classes = 0;                       // some feature has each of these
  std::vector<std::shared_ptr<const Group>> group, not_group;
};

// Conditions under a name; one of them has to hold.
struct Group {
  std::vector<When> any;
};

// A shape of features. Classes are tried in the file's order; one name may stand several times.
struct FeatureClass {
  int bit = 0;
  std::vector<std::shared_ptr<const re2::RE2>> match, unless;
  std::vector<std::string> first, head;  // sorted, lower case
  bool plural = false;                   // matches a plural head noun
};

struct WordList {
  std::string where;  // "en.toml:12"
  When when;
  std::vector<Phrase> any;
};

struct Pattern {
  std::string id, device, where;
  Part part = Part::kHeadline;
  When when;
  Phrase phrase;
  double weight = 1;
  double grade = 0.5;                            // how well it reads, by whoever wrote it
  uint64_t feature_masks[kMaxFeatureSlots + 1];  // what each slot accepts, over all its uses in the pattern's own text
  int slots = 0;                                 // how many different features the pattern's own text takes
};

// What holds for every text and every pair of a grammar: the table [rules]. Nothing holds unless it is asked for.
struct Rules {
  bool sheet_order = false;  // slots that accept the same classes take features in the record's order
  bool no_echo = false;      // record's texts that share two Han in a row stand in no one clause, nor in a headline
  std::vector<std::string> once;   // fields that only one part of a pair says
  std::vector<std::string> some;   // fields that a part of every pair says
  std::vector<std::string> apart;  // devices that do not meet themselves in a pair
};

class Grammar {
 public:
  static Grammar Parse(std::string_view text, std::string file);
  static Grammar Load(const std::string& path);

  const std::string& file() const { return file_; }
  const std::string& lang() const { return lang_; }  // "zh" or "en"
  const Rules& rules() const { return rules_; }
  const std::vector<Pattern>& patterns() const { return patterns_; }
  const std::map<std::string, std::vector<WordList>, std::less<>>& words() const { return words_; }

  // Whether features of this class take an indefinite article.
  bool Countable(int bit) const { return (uncountable_ >> bit & 1) == 0; }
  // Whether features of these classes go into one list with "and" ("cable slot and felt base", not "cable slot and
  // folds flat"): the same class, or classes of one `kind`. Plain features go with none.
  bool Alike(int a, int b) const;
  // The class of a feature, as its bit; features that no class matches are "plain".
  int ClassOf(std::string_view feature) const;
  const std::string& ClassName(int bit) const { return class_names_[static_cast<size_t>(bit)]; }

 private:
  Grammar() = default;
  void ReadRules(Table table);
  void ReadGroup(Table table);
  void ReadClass(Table table);
  void ReadWords(Table table);
  void ReadPattern(Table table);
  When ReadWhen(Table& owner) const;
  Phrase ReadPhrase(const Table& owner, std::string_view key, const std::string& text) const;
  Piece ReadSlot(const Table& owner, std::string_view key, std::string_view inside, bool angle) const;
  void CheckWords() const;

  std::string file_, lang_;
  Rules rules_;
  std::vector<std::string> class_names_;  // the last is "plain"
  std::vector<FeatureClass> classes_;
  uint64_t uncountable_ = 0;
  std::map<std::string, std::shared_ptr<Group>, std::less<>> groups_;
  std::map<int, std::string> kinds_;  // by bit
  std::map<std::string, std::vector<WordList>, std::less<>> words_;
  std::vector<Pattern> patterns_;
};

}  // namespace atelier::operators
