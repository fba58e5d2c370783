// Regular languages of code points as hash-consed expressions with intersection and complement; a derivative by a
// symbol (Brzozowski 1964) is again such an expression, so that each is a state of a deterministic automaton. A counted
// repetition is one node whatever its bounds.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/constraint/char_set.h"

namespace atelier::runtime {

class Regulars {
 public:
  using Id = int32_t;
  static constexpr Id kNothing = 0;  // no text
  static constexpr Id kEmpty = 1;    // the empty text
  static constexpr int kNoLimit = -1;

  // Throws kUnsupported from any call beyond the budget, so that no pattern takes more than about a second.
  Regulars();

  Id Set(const CharSet& set);
  Id Then(Id a, Id b);
  Id Then(const std::vector<Id>& parts);
  Id Either(std::vector<Id> parts);
  Id Both(std::vector<Id> parts);
  Id Not(Id a);
  Id Repeat(Id a, int least, int most);  // most: kNoLimit
  Id Text(std::u32string_view text);
  Id Text(std::string_view utf8);
  Id AnyText();
  // Decimal digits whose number leaves `remainder` when divided by `modulus`; the empty text counts as zero.
  Id Modulo(int modulus, int remainder);

  size_t work() const { return work_; }  // so far, in steps of the budget

  bool Nullable(Id a) const { return nodes_[static_cast<size_t>(a)].nullable; }

  // The alphabet: code points that no set of the expression tells apart are one symbol.
  struct Alphabet {
    std::vector<char32_t> starts;    // sorted; an interval ends before the next one
    std::vector<int32_t> symbols;    // of the interval; -1: surrogates
    std::vector<char32_t> examples;  // [symbol]
  };
  Alphabet AlphabetOf(Id root) const;
  // What may follow after a character (an example of its symbol). `memo` belongs to one alphabet.
  using Memo = std::unordered_map<uint64_t, Id>;
  Id Derive(Id a, int32_t symbol, char32_t example, Memo* memo);

 private:
  enum class Kind : uint8_t { kNothing, kEmpty, kSet, kThen, kEither, kBoth, kNot, kRepeat, kModulo };
  struct Node {
    Kind kind;
    bool nullable;
    int32_t a = 0, b = 0;        // kThen: parts; kRepeat: least, most; kModulo: modulus, remainder; kSet: index
    std::vector<Id> parts = {};  // kEither, kBoth: sorted; kNot, kRepeat: one
    bool operator==(const Node& o) const { return kind == o.kind && a == o.a && b == o.b && parts == o.parts; }
  };
  void Work(size_t steps);
  Id Intern(Node node);
  const Node& At(Id id) const { return nodes_[static_cast<size_t>(id)]; }

  static constexpr size_t kMostWork = 4000000;  // nodes looked up, and their parts

  size_t work_ = 0;
  Id any_ = 0;
  std::vector<Node> nodes_;
  std::vector<CharSet> sets_;
  std::unordered_map<uint64_t, std::vector<Id>> index_;
};

}  // namespace atelier::runtime
