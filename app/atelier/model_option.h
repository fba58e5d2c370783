// The options that every command with a language model shares: which model, how many threads.
#pragma once

#include <memory>
#include <string>

#include "app/atelier/command.h"
#include "artefact/generator.h"
#include "base/json.h"

namespace atelier::app {

class ModelOption {
 public:
  void Declare(Cli& cli);
  // Finds the model by registered name or path and loads it, with a line of progress for people.
  std::shared_ptr<artefact::Generator> Load(const Globals& globals) const;

 private:
  std::string model_;
  int64_t threads_ = 0;
};

// Fills a model's chat template with messages ([{"role": ..., "content": ...}]). Throws kUnsupported for a model that
// has none, saying what to use instead.
std::string RenderChat(const artefact::Generator& model, const Json& messages);

}  // namespace atelier::app
