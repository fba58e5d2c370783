// Fields of the recipe that a step or a check names.
#pragma once

#include <string>
#include <string_view>

#include "recipe/run.h"

namespace atelier::operators {

// Refuses `key` of `table` where the recipe has no input or output field of this name; says the nearest. A context that
// names none at all knows none to hold it against.
void RequireInput(const Table& table, std::string_view key, const std::string& field,
                  const recipe::StepContext& context);
void RequireOutput(const Table& table, std::string_view key, const std::string& field,
                   const recipe::StepContext& context);

}  // namespace atelier::operators
