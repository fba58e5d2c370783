#include "app/atelier/models.h"

#include <map>

#include "artefact/registry.h"
#include "runtime/local_generator.h"

namespace atelier::app {

artefact::ModelProvider ModelsOf(store::Studio& studio) {
  auto loaded = std::make_shared<std::map<std::string, std::shared_ptr<artefact::Generator>>>();
  return [&studio, loaded](const std::string& name) {
    const auto load = [&](const artefact::ModelEntry& entry) {
      std::shared_ptr<artefact::Generator>& model = (*loaded)[entry.name];
      if (model == nullptr) model = runtime::LoadGenerator(entry.path, entry.name, entry.manifest.sha256);
      return model;
    };
    if (const auto at = loaded->find(name); at != loaded->end()) return at->second;
    const artefact::Registry registry(&studio);
    const artefact::ModelEntry entry = registry.ResolveAdapted(name);
    if (!entry.adapter) return (*loaded)[name] = load(entry);
    const auto base = load(registry.Resolve(artefact::SplitAdapted(name)->first));
    return (*loaded)[name] = runtime::WithAdapter(base, entry);
  };
}

}  // namespace atelier::app
