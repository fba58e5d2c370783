// What a model's file says of the model, for artefact::ModelInfo.
#pragma once

#include <string>

#include "artefact/generator.h"
#include "artefact/gguf.h"

namespace atelier::runtime {

// `spec`: DecoderSpec or EncoderSpec. `name` "": as the file calls itself.
template <typename Spec>
artefact::ModelInfo ModelInfoOf(const artefact::GgufFile& file, const std::string& name, const std::string& hash,
                                const Spec& spec) {
  artefact::ModelInfo info;
  info.name = name.empty() ? std::string(file.StringOr("general.name", file.path())) : name;
  info.architecture = spec.architecture;
  info.hash = hash;
  info.licence = std::string(file.StringOr("general.license", ""));
  info.context_length = static_cast<int>(spec.context);
  info.vocabulary = static_cast<int>(spec.vocab);
  for (const artefact::TensorInfo& tensor : file.tensors()) info.parameters += tensor.elements();
  return info;
}

}  // namespace atelier::runtime
