#include "app/atelier/models.h"

#include <map>

#include "artefact/registry.h"
#include "runtime/local_generator.h"

namespace atelier::app {

artefact::ModelProvider ModelsOf(store::Studio& studio) {
  auto loaded = std::make_shared<std::map<std::string, std::shared_ptr<artefact::Generator>>>();
  return [&studio, loaded](const std::string& name) {
    std::shared_ptr<artefact::Generator>& model = (*loaded)[name];
    if (model == nullptr) {
      const artefact::ModelEntry entry = artefact::Registry(&studio).Resolve(name);
      model = runtime::LoadGenerator(entry.path, entry.name, entry.manifest.sha256);
    }
    return model;
  };
}

}  // namespace atelier::app
