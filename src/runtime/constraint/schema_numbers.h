// What several schemas say together about a number.
#pragma once

#include <string>

#include "runtime/constraint/decimal.h"
#include "runtime/constraint/schema_merge.h"

namespace atelier::runtime {

struct NumberRules {
  NumberBounds bounds;
  bool bounded = false;  // they say something
  bool rounded = false;  // whole numbers stand for all multiples of a fraction
  std::string where;     // the pointer that errors name
};

// Throws kUnsupported for multiples that cannot be kept.
NumberRules NumberRulesOf(const Merged& merged, bool integer);

}  // namespace atelier::runtime
