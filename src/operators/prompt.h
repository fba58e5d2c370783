// A text as a model wants it.
#pragma once

#include <string>

#include "artefact/generator.h"

namespace atelier::operators {

// The text itself, or as the one user message of the model's own chat template. Throws Error(kInvalidInput) where
// `chat` is asked for and the model has no such template.
std::string Prompt(artefact::Generator& model, const std::string& text, bool chat);

}  // namespace atelier::operators
