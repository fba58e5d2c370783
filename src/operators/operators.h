// The visible list of operators. A new one is one pair of files and one line in operators.cc.
#pragma once

#include <span>

#include "recipe/run.h"

namespace atelier::operators {

std::span<const recipe::OperatorEntry> AllOperators();

}  // namespace atelier::operators
