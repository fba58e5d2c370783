// How fast a model writes.
#pragma once

#include <vector>

#include "artefact/generator.h"

namespace atelier::app {

// Tokens per second of one reply of so many tokens, from an empty context.
double DecodeSpeed(artefact::Generator& model, int tokens);

double Median(std::vector<double> values);  // REQUIRES: not empty

}  // namespace atelier::app
