// A Generator that runs a GGUF model in our own engine, with or without a low-rank adapter.
#pragma once

#include <memory>
#include <string>

#include "artefact/adapter.h"
#include "artefact/generator.h"
#include "artefact/registry.h"
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

// The same model with a low-rank adapter beside its matrices: it shares the weights and the engine of `model`, whose
// requests may run in the same passes. `model`: what LoadGenerator gave, else kUnsupported, as where it has an adapter
// already. Throws what PackAdapter throws, and what reading the entry's adapter does.
std::shared_ptr<artefact::Generator> WithAdapter(const std::shared_ptr<artefact::Generator>& model,
                                                 const artefact::Adapter& adapter, const std::string& name,
                                                 const std::string& hash = "");
std::shared_ptr<artefact::Generator> WithAdapter(const std::shared_ptr<artefact::Generator>& model,
                                                 const artefact::ModelEntry& entry);

// What a name stands for, with its adapter where it has one.
std::shared_ptr<artefact::Generator> LoadModel(const artefact::ModelEntry& entry, const EngineOptions& options = {});

// "0.1.0+5f3a9c0b1d2e": the version and a hash over the engine's sources and compiler; what made an output.
std::string EngineBuild();

}  // namespace atelier::runtime
