// The models that a server offers: those that its studio registered, each loaded on first use and kept. A name is a
// name: a path or an address in its place is a model that does not exist.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "artefact/generator.h"
#include "artefact/registry.h"

namespace atelier::serve {

// Loads a registered model's weights. Asked for models alone: those with an adapter share their model's.
using ModelLoader = std::function<std::shared_ptr<artefact::Generator>(const artefact::ModelEntry& entry)>;

class ModelHost {
 public:
  ModelHost(std::vector<artefact::ModelEntry> registered, ModelLoader load);
  // Waits for whoever still uses a model, so that none is destroyed on its own engine's thread.
  ~ModelHost() { Clear(); }
  // Lets go of all of them, and waits likewise.
  void Clear();

  // Throws kNotFound. Loads where it must; others that ask for the same model meanwhile wait for it. From any thread.
  // A caller may keep the pointer: a model that was swapped lives until its last stream is done.
  std::shared_ptr<artefact::Generator> Get(const std::string& name);
  std::vector<artefact::ModelEntry> List() const;
  // Those that are loaded, by name; not those with an adapter, whose engine is their model's.
  std::map<std::string, std::shared_ptr<artefact::Generator>> Loaded() const;
  // What the studio registers now. A model whose weights are others by then is loaded anew on its next use.
  void Replace(std::vector<artefact::ModelEntry> registered);
  // Lets go of models that were swapped and that nobody uses any more. Now and then.
  void Sweep();

 private:
  struct Slot {
    artefact::ModelEntry entry;
    std::shared_ptr<artefact::Generator> model;
    bool loading = false;
  };
  std::shared_ptr<artefact::Generator> Load(const artefact::ModelEntry& entry);

  const ModelLoader load_;
  mutable std::mutex mutex_;
  std::condition_variable loaded_;
  std::map<std::string, Slot> slots_;
  std::vector<std::shared_ptr<artefact::Generator>> retired_;  // swapped, and perhaps still writing
};

}  // namespace atelier::serve
