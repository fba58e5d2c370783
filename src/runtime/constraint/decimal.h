// Decimal numbers as text, for the bounds of JSON Schema: compared exactly, and turned into the language of all number
// texts between two of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "runtime/constraint/regular.h"

namespace atelier::runtime {

struct Decimal {
  bool negative = false;  // never for zero
  std::string whole;      // without leading zeros, "0" where there is nothing else
  std::string fraction;   // without trailing zeros

  bool zero() const { return whole == "0" && fraction.empty(); }
  bool integer() const { return fraction.empty(); }
};

Decimal DecimalOf(const Json& number);                  // as its shortest text
int Compare(const Decimal& a, const Decimal& b);        // -1, 0, 1
std::optional<int64_t> SmallInteger(const Decimal& d);  // where it is one of up to 18 digits
// Whether a is a multiple of b. REQUIRES: b is not zero. Nothing where the numbers are too long to tell.
std::optional<bool> IsMultiple(const Decimal& a, const Decimal& b);

struct NumberBounds {
  std::optional<Decimal> least, most;
  bool above_least = false, below_most = false;  // exclusive
  bool integer = false;
  std::vector<int> multiples;  // of each of these; then only integers are written

  bool Crossed() const;  // no number is between them
};
// The texts of the numbers within bounds that 15 digits can write (json_grammar.h), without exponents.
Regulars::Id NumbersWithin(Regulars* regulars, const NumberBounds& bounds);

}  // namespace atelier::runtime
