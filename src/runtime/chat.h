// Conversations as the text that a model was trained on: its own chat template, filled.
#pragma once

#include <string>

#include "artefact/generator.h"
#include "base/json.h"

namespace atelier::runtime {

// `messages` is [{"role": ..., "content": ...}]. Throws kUnsupported for a model that has no template, saying what to
// use instead, and what the template itself refuses.
std::string RenderChat(const artefact::Generator& model, const Json& messages);

}  // namespace atelier::runtime
