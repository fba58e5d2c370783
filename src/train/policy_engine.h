// The engine beside training: a decoder that is being tuned writes with its adapter as it now stands.
#pragma once

#include <memory>
#include <string>

#include "artefact/adapter.h"
#include "artefact/generator.h"

namespace atelier::train {

class PolicyEngine {
 public:
  // `file`: the model's, GGUF, which is opened when it is first wanted.
  explicit PolicyEngine(std::string file) : file_(std::move(file)) {}
  std::shared_ptr<artefact::Generator> With(const artefact::Adapter& adapter);

 private:
  std::string file_;
  std::shared_ptr<artefact::Generator> base_;
};

}  // namespace atelier::train
