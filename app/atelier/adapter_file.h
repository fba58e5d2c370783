// An adapter as people have it: a GGUF file, or a folder of Hugging Face's PEFT.
#pragma once

#include <string>

#include "artefact/adapter.h"
#include "artefact/gguf.h"

namespace atelier::app {

bool IsPeftFolder(const std::string& path);

// `base`: the model that it is for, whose heads' width PEFT's form needs.
artefact::Adapter ReadAdapter(const std::string& path, const artefact::GgufFile& base);

}  // namespace atelier::app
