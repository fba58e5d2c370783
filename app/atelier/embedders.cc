#include "app/atelier/embedders.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::app {

std::shared_ptr<artefact::Embedder> LoadEmbedderNamed(store::Studio&, const std::string& name) {
  throw Error(Code::kNotFound, Cat("the model ", Quote(name), " is not here"), Cat("atelier model pull ", name));
}

std::shared_ptr<artefact::Embedder> FindEmbedder(store::Studio& studio, const std::string& name) {
  try {
    return LoadEmbedderNamed(studio, name);
  } catch (const Error& e) {
    if (e.code() != Code::kNotFound) throw;
    return nullptr;
  }
}

retrieve::WordsFn FindWords(store::Studio&) { return nullptr; }

}  // namespace atelier::app
