#include "app/atelier/rankers.h"

#include <map>
#include <mutex>

#include "artefact/ranker_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "rank/local_ranker.h"
#include "store/studio.h"

namespace atelier::app {

artefact::ModelEntry ResolveToName(const artefact::Registry& models, const std::string& said) {
  artefact::ModelEntry entry = models.Resolve(said);
  if (entry.name != said) entry.name = entry.path;
  return entry;
}

std::shared_ptr<artefact::Ranker> LoadRanker(const artefact::Registry& models, const artefact::ModelEntry& entry,
                                             EmbedderPool& pool) {
  const std::string bytes = ReadFile(entry.path, 64 << 20);
  if (!artefact::IsRankerFile(bytes)) {
    throw Error(Code::kUnsupported, Cat("the model ", entry.name, " is no ranker"),
                "`atelier tune rank` makes one; `atelier model list` shows what each model is");
  }
  artefact::RankerFile file = artefact::ParseRankerFile(bytes, entry.path);
  artefact::ModelInfo info;
  info.name = entry.name;
  info.architecture = artefact::kRankerArchitecture;
  info.hash = Sha256Hex(bytes);
  info.licence = entry.manifest.licence;
  info.parameters = entry.manifest.parameters;
  std::shared_ptr<artefact::Embedder> encoder;
  if (!file.encoder.empty()) {
    try {
      encoder = pool.Get(models.Resolve(file.encoder));
    } catch (const Error& e) {
      throw e.Within(Cat("the ranker ", entry.name, " needs its encoder"));
    }
  }
  return rank::MakeRanker(std::move(file), std::move(info), std::move(encoder));
}

artefact::RankerProvider RankersOf(const std::string& studio_folder, std::shared_ptr<EmbedderPool> pool) {
  struct Held {
    std::mutex mutex;
    std::map<std::string, std::pair<std::string, std::shared_ptr<artefact::Ranker>>> rankers;  // by path: hash, ranker
  };
  return [studio_folder, pool = std::move(pool), held = std::make_shared<Held>()](const std::string& name) {
    store::Studio studio = store::Studio::Open(studio_folder, store::Access::kReadIfMust);
    const artefact::Registry models(&studio);
    const artefact::ModelEntry entry = models.Resolve(name);
    const std::lock_guard lock(held->mutex);
    auto& [hash, ranker] = held->rankers[entry.path];
    if (ranker == nullptr || hash != entry.manifest.sha256 || hash.empty()) {
      ranker = LoadRanker(models, entry, *pool);
      hash = ranker->info().hash;
    }
    return ranker;
  };
}

}  // namespace atelier::app
