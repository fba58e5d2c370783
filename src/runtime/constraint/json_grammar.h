// The parts of a grammar that every JSON value is made of.
#pragma once

#include "runtime/constraint/grammar.h"

namespace atelier::runtime {

// Numbers are written so that a double holds them exactly as they stand: up to 15 digits before the point and none
// after it, or up to 9 and 6, with or without an exponent of at most two digits where no bound is to be kept.
inline constexpr std::string_view kAnyNumber =
    "(?:-?(?:0|[1-9][0-9]{0,14}|(?:0|[1-9][0-9]{0,8})\\.[0-9]{1,6})(?:[eE][+-]?[0-9]{1,2})?)";
inline constexpr std::string_view kAnyInteger = "(?:0|-?[1-9][0-9]{0,14})";

// A JSON text that is no string: full match of a regex.
std::shared_ptr<Automaton> PlainAutomaton(std::string_view regex);

struct AnyJson {
  int32_t value, object, array, string, number, integer, boolean, null;  // nodes
};
// Adds nodes for any JSON value, once per grammar.
AnyJson AddAnyJson(Grammar* grammar);

}  // namespace atelier::runtime
