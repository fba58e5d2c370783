#include "app/atelier/models.h"

#include <map>

#include "artefact/registry.h"
#include "base/error.h"
#include "base/str.h"

namespace atelier::app {

artefact::ModelProvider ModelsOf(store::Studio& studio) {
  return [&studio](const std::string& name) -> std::shared_ptr<artefact::Generator> {
    const artefact::ModelEntry entry = artefact::Registry(&studio).Resolve(name);
    throw Error(Code::kNotFound, Cat("the model ", entry.name, " cannot be run: this build has no engine"));
  };
}

}  // namespace atelier::app
