// The options that every command with a language model shares: which model, how many threads.
#pragma once

#include <memory>
#include <string>

#include "app/atelier/command.h"
#include "artefact/generator.h"
#include "artefact/registry.h"

namespace atelier::app {

class ModelOption {
 public:
  void Declare(Cli& cli);
  int threads() const { return static_cast<int>(threads_); }
  // The model by its registered name or path, not loaded.
  artefact::ModelEntry Find(const Globals& globals) const;
  // Finds the model by registered name or path and loads it, with a line of progress for people.
  std::shared_ptr<artefact::Generator> Load(const Globals& globals) const;

 private:
  std::string model_;
  int64_t threads_ = 0;
};

}  // namespace atelier::app
