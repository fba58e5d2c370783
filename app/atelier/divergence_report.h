// How a copy's distance from its original is told, by the commands that measure it.
#pragma once

#include <string>

#include "base/json.h"
#include "evaluate/divergence.h"

namespace atelier::app {

Json DivergenceJson(const evaluate::Divergence& d);
std::string DivergenceText(const evaluate::Divergence& d);  // lines

}  // namespace atelier::app
