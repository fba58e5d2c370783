#include "app/atelier/models.h"

#include <map>

#include "artefact/registry.h"
#include "base/str.h"
#include "runtime/local_generator.h"

namespace atelier::app {

artefact::ModelProvider ModelsOf(store::Studio& studio) {
  auto loaded = std::make_shared<std::map<std::string, std::shared_ptr<artefact::Generator>>>();
  return [&studio, loaded](const std::string& name) {
    if (const auto at = loaded->find(name); at != loaded->end()) return at->second;
    // By what is loaded, not by what it is called: two files may give themselves one name.
    const auto kept = [&](const std::string& key, const auto& make) {
      if (const auto at = loaded->find(key); at != loaded->end()) return at->second;
      const std::shared_ptr<artefact::Generator> model = make();  // a failure leaves nothing behind
      (*loaded)[key] = model;
      return model;
    };
    const artefact::Registry registry(&studio);
    const artefact::ModelEntry entry = registry.ResolveAdapted(name);
    const auto base = kept(entry.path, [&] {
      if (!entry.adapter) return runtime::LoadGenerator(entry.path, entry.name, entry.manifest.sha256);
      return runtime::LoadGenerator(entry.path, entry.adapter->model, entry.adapter->model_sha256);
    });
    if (!entry.adapter) return (*loaded)[name] = base;
    const std::string both = Cat(entry.path, "+", entry.adapter->path);
    return (*loaded)[name] = kept(both, [&] { return runtime::WithAdapter(base, entry); });
  };
}

}  // namespace atelier::app
