// Which models there are: those that a studio registered (rows of its `models` table), and the user's own store of
// downloaded weights, $ATELIER_HOME/models, where NAME.gguf (or another kind of model_file.h) has its manifest
// NAME.json beside it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/manifest.h"
#include "base/progress.h"
#include "store/studio.h"

namespace atelier::artefact {

struct AdapterPart {
  std::string name, path, sha256;
  std::string model, model_sha256;  // what it stands beside
};

struct ModelEntry {
  std::string name, path;
  Manifest manifest;
  bool registered = false;                  // in the studio; else only in the user's store, or named by its path
  bool present = true;                      // the file is there
  std::optional<AdapterPart> adapter = {};  // of "MODEL+ADAPTER": path is the model's
};

// "MODEL+ADAPTER" cut at the plus; nothing where there is none.
std::optional<std::pair<std::string, std::string>> SplitAdapted(const std::string& name);
// A model with an adapter, under both names. Its manifest's sha256 and licence are both parts'. Throws kConflict where
// `adapter` is none, or does not fit.
ModelEntry Adapted(const ModelEntry& model, const ModelEntry& adapter);
// In place of the adapters among `entries` stands each model that one of them fits, with it.
std::vector<ModelEntry> WithAdapters(std::vector<ModelEntry> entries);

// Hears of what happens to models, for the audit trail: event ("model.pulled"), the model's name, details. Called
// inside the transaction that the event belongs to.
using EventFn = std::function<void(std::string_view event, std::string_view subject, const Json& details)>;

class Registry {
 public:
  // `studio` may be nullptr: then there is only the user's store. Not owned.
  explicit Registry(store::Studio* studio, std::string home = AtelierHome(), EventFn on_event = nullptr);

  // A registered name, else a name in the user's store, else a path: one file. Throws kNotFound, saying what is near or
  // what to pull. Only a path's file is opened (its manifest has no hash); the others' manifests are as they were
  // stored.
  ModelEntry Resolve(const std::string& name_or_path) const;
  // As Resolve, or two of these, MODEL+ADAPTER: for those who load it with its adapter (runtime::LoadModel).
  ModelEntry ResolveAdapted(const std::string& name) const;
  // The studio's row, nothing where there is none (or no studio).
  std::optional<ModelEntry> Registered(std::string_view name) const;
  // Registered models, then those that are only in the user's store; each by name.
  std::vector<ModelEntry> List() const;

  // Adds or renews the studio's row, and the acceptance of the model's terms where it has some; all in one transaction.
  // Throws kConflict when the name stands for other weights. REQUIRES: a studio.
  void Register(const ModelEntry& entry, std::string_view event = "model.registered");
  // Takes the model out of the studio. With `weights` (or without a studio) its files in the user's store go too; files
  // elsewhere are never touched. Returns what was removed.
  ModelEntry Remove(const std::string& name, bool weights);

  struct Verdict {
    bool sound = false;
    std::string problem;  // "" when sound
    std::string sha256;   // as found
  };
  // Reads the whole file: its hash against the manifest's, its structure, the types of its tensors.
  Verdict Verify(const ModelEntry& entry, const ProgressFn& progress = nullptr) const;

  store::Studio* studio() const { return studio_; }
  std::string StoreFolder() const;  // HOME/models, made when it is first written to
  // HOME/models/NAME.gguf, or the file of that name that is there with another ending (model_file.h).
  std::string StorePath(std::string_view name) const;
  std::string StorePath(std::string_view name, std::string_view ending) const;
  std::string StoreManifestPath(std::string_view name) const;
  const std::string& home() const { return home_; }
  void Tell(std::string_view event, std::string_view subject, const Json& details) const;

 private:
  std::optional<ModelEntry> Find(const std::string& name) const;
  std::optional<ModelEntry> InStore(std::string_view name) const;

  store::Studio* studio_;
  std::string home_;
  EventFn on_event_;
};

// SHA-256 of a file with progress.
std::string HashFile(const std::string& path, const ProgressFn& progress = nullptr);

}  // namespace atelier::artefact
