#include "artefact/registry.h"

#include <filesystem>

#include "artefact/catalogue.h"
#include "artefact/model_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/str.h"

namespace atelier::artefact {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kColumns = "name, path, manifest";

std::string AbsolutePath(const std::string& path) {
  std::error_code ignored;
  const fs::path absolute = fs::weakly_canonical(fs::absolute(path, ignored), ignored);
  return absolute.empty() ? path : absolute.string();
}

// A file below the studio is kept by its path from there: a studio that is moved or restored finds its models.
std::string PathToKeep(const store::Studio& studio, const std::string& path) {
  const std::string below = Cat(studio.folder(), "/"), absolute = AbsolutePath(path);
  return absolute.starts_with(below) ? absolute.substr(below.size()) : path;
}

ModelEntry ReadRow(const store::Studio& studio, const store::Statement& row) {
  ModelEntry entry;
  entry.name = row.Text(0);
  entry.path = row.Text(1);
  if (!entry.path.starts_with('/')) entry.path = studio.Path(entry.path);
  const std::string where = Cat("models.manifest of ", entry.name);
  entry.manifest = ManifestFromJson(ParseJson(row.Text(2), where), where);
  entry.registered = true;
  entry.present = FileExists(entry.path);
  return entry;
}

// Empty where it fits. What the manifests do not say is left to whoever loads both.
std::string WhyUnfit(const ModelEntry& model, const ModelEntry& adapter) {
  const Json &needs = adapter.manifest.config, &has = model.manifest.config;
  if (adapter.manifest.architecture != kAdapterArchitecture) return Cat(adapter.name, " is no adapter");
  const auto adapts = needs.find("adapts");
  if (adapts == needs.end() || *adapts != Json(model.manifest.architecture)) {
    return Cat("it is for ", adapts == needs.end() ? "nothing" : ToText(*adapts), ", the model is ",
               model.manifest.architecture);
  }
  for (const char* key : {"embedding_length", "block_count"}) {
    const auto of = needs.find(key), in = has.find(key);
    if (of == needs.end() || in == has.end() || !of->is_number_integer() || !in->is_number_integer()) continue;
    const int64_t wanted = of->get<int64_t>(), found = in->get<int64_t>();
    const bool layers = std::string_view(key) == "block_count";  // it may leave the last ones alone
    if (layers ? found < wanted : found != wanted) return Cat("its ", key, " is ", wanted, ", the model's ", found);
  }
  return "";
}

}  // namespace

std::optional<std::pair<std::string, std::string>> SplitAdapted(const std::string& name) {
  const size_t plus = name.find('+');
  if (plus == std::string::npos) return std::nullopt;
  return std::pair{name.substr(0, plus), name.substr(plus + 1)};
}

ModelEntry Adapted(const ModelEntry& model, const ModelEntry& adapter) {
  if (const std::string why = WhyUnfit(model, adapter); !why.empty()) {
    throw Error(Code::kConflict, Cat("the adapter ", adapter.name, " does not fit ", model.name, ": ", why));
  }
  ModelEntry both = model;
  both.name = both.manifest.name = Cat(model.name, "+", adapter.name);
  both.adapter = AdapterPart{adapter.name, adapter.path, adapter.manifest.sha256, model.name, model.manifest.sha256};
  both.present = model.present && adapter.present;
  both.registered = model.registered && adapter.registered;
  const bool hashed = !model.manifest.sha256.empty() && !adapter.manifest.sha256.empty();
  both.manifest.sha256 = hashed ? Cat(model.manifest.sha256, "+", adapter.manifest.sha256) : "";
  both.manifest.bytes += adapter.manifest.bytes;
  both.manifest.parameters += adapter.manifest.parameters;
  if (const std::string& licence = adapter.manifest.licence; !licence.empty() && licence != model.manifest.licence) {
    both.manifest.licence += Cat(both.manifest.licence.empty() ? "" : " and ", licence);
  }
  return both;
}

std::vector<ModelEntry> WithAdapters(std::vector<ModelEntry> entries) {
  std::vector<ModelEntry> adapters, out;
  for (ModelEntry& entry : entries)
    (entry.manifest.architecture == kAdapterArchitecture ? adapters : out).push_back(std::move(entry));
  const size_t models = out.size();
  for (const ModelEntry& adapter : adapters) {
    for (size_t i = 0; i < models; ++i) {
      if (WhyUnfit(out[i], adapter).empty()) out.push_back(Adapted(out[i], adapter));
    }
  }
  return out;
}

Registry::Registry(store::Studio* studio, std::string home, EventFn on_event)
    : studio_(studio), home_(std::move(home)), on_event_(std::move(on_event)) {}

std::string Registry::StoreFolder() const { return home_ + "/models"; }
std::string Registry::StorePath(std::string_view name) const {
  for (const std::string_view ending : kModelEndings) {
    if (std::string path = StorePath(name, ending); FileExists(path)) return path;
  }
  return StorePath(name, kModelEndings[0]);
}
std::string Registry::StorePath(std::string_view name, std::string_view ending) const {
  return Cat(home_, "/models/", name, ending);
}
std::string Registry::StoreManifestPath(std::string_view name) const { return Cat(home_, "/models/", name, ".json"); }

void Registry::Tell(std::string_view event, std::string_view subject, const Json& details) const {
  if (on_event_) on_event_(event, subject, details);
}

std::optional<ModelEntry> Registry::Registered(std::string_view name) const {
  if (studio_ == nullptr) return std::nullopt;
  store::Statement query =
      studio_->db().Prepare(Cat("SELECT ", kColumns, " FROM models WHERE tenant = ? AND name = ?"));
  query.Bind(studio_->tenant(), name);
  if (!query.Step()) return std::nullopt;
  return ReadRow(*studio_, query);
}

std::optional<ModelEntry> Registry::InStore(std::string_view name) const {
  if (!IsModelName(name) || !FileExists(StorePath(name))) return std::nullopt;
  ModelEntry entry{.name = std::string(name), .path = StorePath(name), .manifest = {}};
  if (FileExists(StoreManifestPath(name))) {
    entry.manifest = LoadManifest(StoreManifestPath(name));
  } else {
    entry.manifest = DescribeFile(entry.path);
    entry.manifest.name = name;
  }
  return entry;
}

std::optional<ModelEntry> Registry::Find(const std::string& name) const {
  if (std::optional<ModelEntry> entry = Registered(name)) {
    if (entry->present) return *entry;
    throw Error(
        Code::kNotFound, Cat("the model ", name, " is registered, but its file is gone: ", entry->path),
        Cat("pull it again with `atelier model pull ", entry->manifest.source, "`, or `atelier model rm ", name, "`"));
  }
  if (std::optional<ModelEntry> entry = InStore(name)) return *entry;
  if (FileExists(name)) {
    ModelEntry entry{.name = ModelNameFrom(name), .path = AbsolutePath(name), .manifest = DescribeFile(name)};
    entry.manifest.name = entry.name;
    return entry;
  }
  return std::nullopt;
}

ModelEntry Registry::ResolveAdapted(const std::string& name) const {
  if (std::optional<ModelEntry> entry = Find(name)) return *entry;
  auto parts = SplitAdapted(name);
  for (size_t at = name.find('+'); at != std::string::npos; at = name.find('+', at + 1)) {  // paths may have one, too
    if (Find(name.substr(0, at)) && Find(name.substr(at + 1))) parts = {name.substr(0, at), name.substr(at + 1)};
  }
  if (parts && SplitAdapted(parts->second) && !Find(parts->second)) {
    throw Error(Code::kUnsupported, Cat(name, ": a model takes one adapter at a time"),
                "`atelier model merge` lays the first into the model");
  }
  return parts ? Adapted(Resolve(parts->first), Resolve(parts->second)) : Resolve(name);
}

ModelEntry Registry::Resolve(const std::string& name) const {
  if (std::optional<ModelEntry> entry = Find(name)) return *entry;
  if (const auto parts = SplitAdapted(name); parts && Find(parts->first) && Find(parts->second)) {
    throw Error(Code::kUnsupported, Cat(name, " is a model with an adapter, and this needs one model's file"),
                Cat("`atelier model merge ", parts->first, " ", parts->second, " FILE.gguf` makes one"));
  }
  if (Catalogue::BuiltIn().Find(name) != nullptr) {
    throw Error(Code::kNotFound, Cat("the model ", name, " is not here yet"),
                Cat("fetch it with `atelier model pull ", name, "`"));
  }
  std::vector<std::string> names = Catalogue::BuiltIn().Names();
  for (const ModelEntry& entry : List()) names.push_back(entry.name);
  const std::string nearest = Nearest(name, names);
  throw Error(
      Code::kNotFound, Cat("there is no model and no file ", Quote(name, 200)),
      nearest.empty() ? "`atelier model list` shows the models that are here" : Cat("did you mean ", nearest, "?"));
}

std::vector<ModelEntry> Registry::List() const {
  std::vector<ModelEntry> out;
  std::vector<std::string> paths;
  if (studio_ != nullptr) {
    store::Statement query =
        studio_->db().Prepare(Cat("SELECT ", kColumns, " FROM models WHERE tenant = ? ORDER BY name"));
    query.Bind(studio_->tenant());
    while (query.Step()) {
      out.push_back(ReadRow(*studio_, query));
      paths.push_back(out.back().path);
    }
  }
  if (!FolderExists(StoreFolder())) return out;
  for (const std::string& file : ListFolder(StoreFolder())) {
    const auto ending = std::find_if(std::begin(kModelEndings), std::end(kModelEndings),
                                     [&](std::string_view known) { return file.ends_with(known); });
    if (ending == std::end(kModelEndings)) continue;
    const std::string name = file.substr(0, file.size() - ending->size());
    if (std::find(paths.begin(), paths.end(), StorePath(name)) != paths.end()) continue;
    try {
      if (std::optional<ModelEntry> entry = InStore(name)) out.push_back(*entry);
    } catch (const Error&) {  // a damaged file or manifest must not hide the others; `model verify` says what is wrong
      ModelEntry damaged{.name = name, .path = StorePath(name), .manifest = {}};
      damaged.manifest.quantisation = "damaged";
      out.push_back(std::move(damaged));
    }
  }
  return out;
}

void Registry::Register(const ModelEntry& entry, std::string_view event) {
  if (studio_ == nullptr) throw Error(Code::kInternal, "a model is registered without a studio");
  store::Database& db = studio_->db();
  const Manifest& m = entry.manifest;
  store::Transaction transaction(db);
  if (const std::optional<ModelEntry> old = Registered(entry.name); old && old->manifest.sha256 != m.sha256) {
    throw Error(Code::kConflict, Cat("the name ", entry.name, " stands for other weights (", old->path, ")"),
                Cat("choose another with --name, or `atelier model rm ", entry.name, "` first"));
  }
  db.Run(
      "INSERT INTO models (id, tenant, name, path, sha256, bytes, architecture, quantisation, licence, source, "
      "manifest, "
      "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, name) DO UPDATE SET "
      "path = excluded.path, source = excluded.source, licence = excluded.licence, manifest = excluded.manifest",
      NewUuid(), studio_->tenant(), entry.name, PathToKeep(*studio_, entry.path), m.sha256, m.bytes, m.architecture,
      m.quantisation, m.licence, m.source, ToText(ToJson(m)), NowMillis());
  if (!m.terms.name.empty() &&
      db.QueryInt(
          "SELECT count(*) FROM terms_acceptances WHERE tenant = ? AND model = ? AND terms = ? AND terms_sha256 = ?",
          studio_->tenant(), entry.name, m.terms.name, m.terms.sha256) == 0) {
    db.Run(
        "INSERT INTO terms_acceptances (id, tenant, model, terms, terms_url, terms_sha256, actor, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        NewUuid(), studio_->tenant(), entry.name, m.terms.name, m.terms.url, m.terms.sha256, m.terms.accepted_by,
        m.terms.accepted_at);
    Tell("terms.accepted", entry.name, {{"terms", m.terms.name}, {"url", m.terms.url}, {"sha256", m.terms.sha256}});
  }
  Tell(event, entry.name, {{"sha256", m.sha256}, {"bytes", m.bytes}, {"source", m.source}, {"path", entry.path}});
  transaction.Commit();
}

ModelEntry Registry::Remove(const std::string& name, bool weights) {
  std::optional<ModelEntry> entry = Registered(name);
  const std::optional<ModelEntry> stored =
      FileExists(StorePath(name)) && IsModelName(name)
          ? std::optional(ModelEntry{.name = name, .path = StorePath(name), .manifest = {}})
          : std::nullopt;
  if (!entry && !stored) {
    throw Error(Code::kNotFound, Cat("there is no model ", Quote(name, 200)),
                "`atelier model list` shows those that are here");
  }
  if (!entry && studio_ != nullptr && !weights) {
    throw Error(Code::kNotFound, Cat("the model ", name, " is not registered in this studio"),
                "to delete its weights from your own store, say --weights");
  }
  if (entry) {
    store::Transaction transaction(studio_->db());
    studio_->db().Run("DELETE FROM models WHERE tenant = ? AND name = ?", studio_->tenant(), name);
    Tell("model.removed", name, {{"sha256", entry->manifest.sha256}, {"weights", weights}});
    transaction.Commit();
  }
  if (stored && (weights || studio_ == nullptr)) {
    RemoveFile(StoreManifestPath(name));  // first: weights without a manifest are still usable, the reverse is not
    RemoveFile(Cat(home_, "/models/", name, ".terms.html"));
    RemoveFile(StorePath(name));
  }
  return entry ? *entry : *stored;
}

Registry::Verdict Registry::Verify(const ModelEntry& entry, const ProgressFn& progress) const {
  Verdict verdict;
  try {
    verdict.sha256 = HashFile(entry.path, progress);
    if (!entry.manifest.sha256.empty() && verdict.sha256 != entry.manifest.sha256) {
      verdict.problem = Cat("its SHA-256 is ", verdict.sha256, ", not ", entry.manifest.sha256);
      return verdict;
    }
    CheckFile(entry.path);
    verdict.sound = true;
  } catch (const Error& error) {
    verdict.problem = error.what();
  }
  return verdict;
}

std::string HashFile(const std::string& path, const ProgressFn& progress) {
  const uint64_t size = FileSize(path);
  uint64_t done = 0;
  Sha256 hash;
  ReadPieces(path, [&](std::string_view piece) {
    hash.Update(piece);
    if (progress) progress(done += piece.size(), size, "");
  });
  return hash.Hex();
}

}  // namespace atelier::artefact
