// What atelier-learn tells whoever started it: one JSON object per line on standard output.
#pragma once

#include <string_view>

#include "base/json.h"

namespace atelier::learn {

void Tell(std::string_view event, Json fields);
// Of several processes one speaks.
void StaySilent(bool silent);

// Tells the exception that is being handled as the event "error" and returns the exit code. Called inside a catch.
int TellFailure();

}  // namespace atelier::learn
