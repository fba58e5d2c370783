#include "app/atelier/embedders.h"

#include "app/atelier/studio_here.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "retrieve/library.h"
#include "runtime/local_embedder.h"
#include "text/segmenter.h"

namespace atelier::app {
namespace {

constexpr const char* kSegmenter = "segmenter-zh";

}  // namespace

std::shared_ptr<artefact::Embedder> EmbedderPool::Get(const artefact::ModelEntry& entry) {
  if (!entry.present) {
    throw Error(Code::kNotFound, Cat("the model ", Quote(entry.name), " is not here: ", entry.path, " is gone"),
                Cat("atelier model pull ", entry.name));
  }
  if (entry.adapter) throw Error(Code::kUnsupported, Cat(entry.name, ": encoders take no adapters yet"));
  const std::string hash = entry.manifest.sha256.empty() ? Sha256HexOfFile(entry.path) : entry.manifest.sha256;
  const std::lock_guard lock(mutex_);
  std::weak_ptr<artefact::Embedder>& held = held_[Cat(entry.name, " ", hash)];
  std::shared_ptr<artefact::Embedder> embedder = held.lock();
  if (embedder == nullptr) {
    embedder = runtime::LoadEmbedder(entry.path, entry.name, hash, threads_);
    held = embedder;
  }
  return embedder;
}

std::shared_ptr<artefact::Embedder> LoadEmbedderNamed(store::Studio& studio, const std::string& name) {
  return EmbedderPool().Get(artefact::Registry(&studio).Resolve(name));
}

std::shared_ptr<artefact::Embedder> FindEmbedder(store::Studio& studio, const std::string& name) {
  try {
    return LoadEmbedderNamed(studio, name);
  } catch (const Error& e) {
    if (e.code() != Code::kNotFound) throw;
    return nullptr;
  }
}

std::shared_ptr<artefact::Embedder> EmbedderHere(const Globals& globals, const std::string& name) {
  return EmbedderPool().Get(OpenHere(globals)->models->Resolve(name));
}

std::string ModelSegmenter(store::Studio& studio) {
  const artefact::ModelEntry entry = artefact::Registry(&studio).Resolve(kSegmenter);
  return Cat(entry.name, ":", entry.manifest.sha256.substr(0, 16));
}

retrieve::WordsProvider WordsOf(store::Studio& studio) {
  return [&studio](const std::string& name) -> retrieve::WordsFn {
    std::shared_ptr<const text::Segmenter> segmenter;
    if (name == "icu") {
      segmenter = text::MakeIcuSegmenter();
    } else {
      const artefact::ModelEntry entry = artefact::Registry(&studio).Resolve(name.substr(0, name.find(':')));
      if (Cat(entry.name, ":", entry.manifest.sha256.substr(0, 16)) != name) {
        throw Error(Code::kConflict,
                    Cat("an index that was made with the words of ", name, ", and ", entry.name, " is another now"),
                    "make the index anew");
      }
      const auto map = MappedFile::Open(entry.path);
      segmenter = text::MakeModelSegmenter(
          text::SegmenterModel::Parse({reinterpret_cast<const char*>(map->data()), map->size()}, entry.path));
    }
    return [segmenter](std::string_view run, std::vector<std::string_view>* words) { segmenter->Segment(run, words); };
  };
}

std::shared_ptr<artefact::Searcher> SearchOf(const std::string& studio_folder, std::shared_ptr<EmbedderPool> pool) {
  const auto open = [studio_folder] { return store::Studio::Open(studio_folder, store::Access::kReadIfMust); };
  return std::make_shared<retrieve::Library>(
      studio_folder,
      [open, pool = std::move(pool)](const std::string& name) {
        store::Studio studio = open();
        return pool->Get(artefact::Registry(&studio).Resolve(name));
      },
      [open](const std::string& name) {
        store::Studio studio = open();
        return WordsOf(studio)(name);
      });
}

}  // namespace atelier::app
