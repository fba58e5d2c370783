// A trained GPT as a GGUF file that our own engine, and llama.cpp, run.
#pragma once

#include <string>

#include "model/gpt.h"
#include "text/tokenizer.h"

namespace atelier::model {

struct ExportOptions {
  std::string name, licence, description;
  bool f16 = false;  // matrices in binary16, else f32
};

// Architecture `llama`, with the tokenizer inside. Throws kUnsupported for the form gpt2, whose positions and norms
// that architecture has not, and where `spec` is not of the model's vocabulary.
void ExportGguf(const Gpt& model, const text::TokenizerSpec& spec, const ExportOptions& options,
                const std::string& path);

}  // namespace atelier::model
