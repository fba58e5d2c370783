// A Generator that runs a GGUF model in our own engine.
#pragma once

#include <memory>
#include <string>

#include "artefact/generator.h"
#include "runtime/engine.h"

namespace atelier::runtime {

// Affect speed and memory only. Threads change no bit of a result; the ISA may change last bits and is in EngineInfo.
struct EngineOptions {
  int threads = 0;                        // 0: as many as this process may use
  uint64_t kv_bytes = uint64_t{2} << 30;  // the most memory for keys and values
  EngineLimits limits = {};
};

// Loads the file. `name` and `hash` are for ModelInfo ("" where unknown). Throws what the reader, the tokenizer and the
// architectures throw, and kCorrupt where the tokenizer and the embedding disagree on the vocabulary. The object serves
// any number of threads at once, but not its own callbacks.
std::shared_ptr<artefact::Generator> LoadGenerator(const std::string& path, const std::string& name = "",
                                                   const std::string& hash = "", const EngineOptions& options = {});

// "0.1.0+5f3a9c0b1d2e": the version and a hash over the engine's sources and compiler; what made an output.
std::string EngineBuild();

}  // namespace atelier::runtime
