#include "model/base_file.h"

#include "artefact/registry.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::model {

const artefact::GgufFile* BaseOf(const Model& model) {
  const auto* on = dynamic_cast<const OnBase*>(&model);
  return on == nullptr ? nullptr : on->base();
}

std::string FindBase(const std::string& init, const StartShape& start) {
  if (!start.file.empty()) return start.file;
  const std::string path = artefact::Registry(nullptr).Resolve(init).path;
  if (!start.hash.empty() && Sha256HexOfFile(path) != start.hash) {
    throw Error(Code::kConflict, Cat(path, ": is not the model that the adapter was trained on"),
                "its bytes are others");
  }
  return path;
}

}  // namespace atelier::model
