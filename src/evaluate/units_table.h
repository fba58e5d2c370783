// The units that quantities.cc knows, as data.
#pragma once

#include <span>
#include <string_view>

namespace atelier::evaluate {

struct UnitEntry {
  std::string_view word;  // lower case
  std::string_view kind;
  double factor;  // to the kind's base unit
};

// Chinese units are matched as prefixes of what follows the number, the longest first; Latin ones as whole words.
std::span<const UnitEntry> HanUnits();
std::span<const UnitEntry> LatinUnits();
// Chinese measure words: what follows is counted. One of them (一杯) asserts nothing; two do.
std::span<const std::string_view> HanCounters();

}  // namespace atelier::evaluate
