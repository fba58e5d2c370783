// What the data commands print alike.
#pragma once

#include "data/manifest.h"

namespace atelier::app {

// Name, counts and the table of fields, on standard output.
void PrintVersion(const data::Manifest& manifest);

}  // namespace atelier::app
