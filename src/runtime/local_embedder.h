// An Embedder that runs a GGUF encoder in our own engine.
#pragma once

#include <memory>
#include <string>

#include "artefact/embedder.h"

namespace atelier::runtime {

// Loads the file. `name` and `hash` are for ModelInfo ("" where unknown); threads 0: as many as this process may use.
// Throws what the reader, the tokenizer and the architecture throw, and kCorrupt where tokenizer and embedding disagree
// on the vocabulary. Threads change no bit of a vector; the instruction set may change last bits.
std::shared_ptr<artefact::Embedder> LoadEmbedder(const std::string& path, const std::string& name = "",
                                                 const std::string& hash = "", int threads = 0);

}  // namespace atelier::runtime
