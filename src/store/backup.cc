#include "store/backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/str.h"
#include "store/archive.h"
#include "store/data_use.h"
#include "store/migrations.h"

namespace atelier::store {
namespace fs = std::filesystem;
namespace {

constexpr int kFormat = 1;
// The list and its own hash, as `sha256sum -c` reads it, end an archive: without them it was cut.
constexpr std::string_view kManifest = "backup.json", kSeal = "backup.sha256", kDatabase = "studio.db",
                           kSettings = "studio.toml", kSecret = Studio::kSecretFile;
constexpr uint64_t kMostManifest = uint64_t{256} << 20;

// What of a studio's folder belongs to the studio. Other files there are somebody else's.
bool IsKept(std::string_view path) {
  if (path == kDatabase || path == kSettings || path == kSecret) return true;
  return std::any_of(Studio::Folders().begin(), Studio::Folders().end(),
                     [&](std::string_view folder) { return path.starts_with(Cat(folder, "/")); });
}

// Half-written files and versions, which another process will rename or remove, and locks.
bool IsTransient(const std::string& name) {
  return name.starts_with(".new-") || name.find(".tmp.") != std::string::npos || name == "lock";
}

// The one kind of file that is replaced and names others: it is saved first, and what it names while it still is there.
bool NamesOthers(const std::string& path) { return path.starts_with("indexes/") && path.ends_with("/index.json"); }

// Every table's rows, of those that are not SQLite's own.
std::map<std::string, int64_t> CountRows(Database& db) {
  std::vector<std::string> names;
  {
    Statement tables = db.Prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    while (tables.Step()) names.push_back(tables.Text(0));
  }
  std::map<std::string, int64_t> rows;
  for (const std::string& name : names)
    rows[name] = db.QueryInt(Cat("SELECT count(*) FROM \"", ReplaceAll(name, "\"", "\"\""), "\""));
  return rows;
}

// A folder that is gone with this.
class Scratch {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)) { fs::create_directory(path_); }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }
  void Keep() { path_.clear(); }

 private:
  std::string path_;
};

std::vector<std::string> FilesOf(const Studio& studio) {
  std::vector<std::string> files;
  for (const std::string_view folder : Studio::Folders()) {
    std::error_code error;
    fs::recursive_directory_iterator at(studio.Path(folder), error);
    if (error) continue;
    for (; at != fs::recursive_directory_iterator(); at.increment(error)) {
      if (error) throw Error(Code::kUnavailable, Cat(studio.Path(folder), ": ", error.message()), "try again");
      const bool transient = IsTransient(at->path().filename().string());
      if (transient && at->is_directory(error)) at.disable_recursion_pending();
      if (transient || at->is_symlink(error) || !at->is_regular_file(error)) continue;
      files.push_back(at->path().lexically_relative(studio.folder()).string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string Seal(const std::string& list) { return Cat(Sha256Hex(list), "  ", kManifest, "\n"); }

BackupManifest ReadManifest(const std::string& text, const std::string& path) {
  try {
    const Json json = ParseJson(text, kManifest);
    if (const int format = json.at("format"); format != kFormat)
      throw Error(Code::kUnsupported,
                  Cat(path, ": is a backup of format ", format, ", and this program reads ", kFormat),
                  "use a newer Atelier");
    BackupManifest manifest{.studio = json.at("studio"),
                            .tenant = json.at("tenant"),
                            .atelier = json.at("atelier"),
                            .created_at = json.at("created_at"),
                            .schema = json.at("schema"),
                            .secrets = json.at("secrets")};
    for (const auto& [table, count] : json.at("rows").items()) manifest.rows[table] = count;
    for (const Json& file : json.at("files"))
      manifest.files.push_back({file.at("path"), file.at("bytes"), file.at("sha256")});
    return manifest;
  } catch (const nlohmann::json::exception&) {
    throw Error(Code::kCorrupt, Cat(path, ": backup.json is not what a backup says of itself"));
  }
}

// Reads the whole archive, gives every file's pieces to `file`, and holds the whole against its manifest.
BackupManifest Walk(const std::string& path, const ProgressFn& progress,
                    const std::function<PieceFn(const std::string& name)>& file) {
  ArchiveReader reader(path);
  const uint64_t size = FileSize(path);
  const auto corrupt = [&](const std::string& why) {
    return Error(Code::kCorrupt, Cat(path, ": ", why), "use another backup");
  };
  std::map<std::string, BackupFile> found;
  std::string list, seal;
  while (reader.Next()) {
    const std::string name = reader.name();
    if (!seal.empty()) throw corrupt("goes on behind its end");
    if (name == kManifest || name == kSeal) {
      (name == kSeal ? seal : list) = reader.ReadAll(kMostManifest);
      continue;
    }
    if (!IsKept(name)) throw corrupt(Cat("holds ", Quote(name), ", which belongs to no studio"));
    if (found.contains(name)) throw corrupt(Cat("holds ", Quote(name), " twice"));
    const PieceFn keep = file(name);
    Sha256 hash;
    uint64_t bytes = 0;
    reader.Read([&](std::string_view piece) {
      hash.Update(piece);
      bytes += piece.size();
      keep(piece);
      if (progress) progress(reader.position(), size, name);
    });
    keep({});
    found[name] = {name, bytes, hash.Hex()};
  }
  if (seal.empty()) throw corrupt("has no end: it was cut");
  if (seal != Seal(list)) throw corrupt("its list is damaged");
  BackupManifest manifest = ReadManifest(list, path);
  for (const BackupFile& file_said : manifest.files) {
    const auto at = found.find(file_said.path);
    if (at == found.end()) throw corrupt(Cat(Quote(file_said.path), " is missing from it"));
    if (at->second.bytes != file_said.bytes || at->second.sha256 != file_said.sha256)
      throw corrupt(Cat(Quote(file_said.path), " in it is damaged"));
    found.erase(at);
  }
  if (!found.empty()) throw corrupt(Cat("holds ", Quote(found.begin()->first), ", of which its list does not know"));
  return manifest;
}

void CheckDatabase(const std::string& path, const std::string& database, const BackupManifest& manifest) {
  if (!FileExists(database)) throw Error(Code::kCorrupt, Cat(path, ": holds no studio.db"));
  Database db = Database::OpenFrozen(database);
  if (const std::string why = db.Check(); !why.empty()) throw Error(Code::kCorrupt, Cat(path, ": studio.db: ", why));
  if (CountRows(db) != manifest.rows)
    throw Error(Code::kCorrupt, Cat(path, ": studio.db has not the rows that it had"));
}

void Sync(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!done) throw Error(Code::kIo, Cat(path, ": cannot be written to the disk"));
}

// A file that grows by pieces; the empty piece ends it.
PieceFn WriteTo(const std::string& path, mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) throw Error(Code::kIo, Cat(path, ": cannot be made"));
  const std::shared_ptr<const int> owner(new int(fd), [](const int* held) {
    ::close(*held);
    delete held;
  });
  return [owner, path](std::string_view piece) {
    if (piece.empty()) return Sync(path);
    while (!piece.empty()) {
      const ssize_t written = ::write(*owner, piece.data(), piece.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        throw Error(errno == ENOSPC || errno == EDQUOT ? Code::kResourceExhausted : Code::kIo,
                    Cat(path, ": cannot be written"), "look whether the disk is full");
      }
      piece.remove_prefix(static_cast<size_t>(written));
    }
  };
}

}  // namespace

uint64_t BackupManifest::bytes() const {
  uint64_t sum = 0;
  for (const BackupFile& file : files) sum += file.bytes;
  return sum;
}

Json ToJson(const BackupManifest& manifest) {
  Json files = Json::array();
  for (const BackupFile& file : manifest.files)
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  Json rows = Json::object();
  for (const auto& [table, count] : manifest.rows) rows[table] = count;
  return {{"format", kFormat},           {"studio", manifest.studio},         {"tenant", manifest.tenant},
          {"atelier", manifest.atelier}, {"created_at", manifest.created_at}, {"schema", manifest.schema},
          {"secrets", manifest.secrets}, {"rows", std::move(rows)},           {"files", std::move(files)}};
}

BackupManifest MakeBackup(Studio& studio, const std::string& path, bool secrets, const std::string& atelier,
                          const ProgressFn& progress) {
  if (FileExists(path)) throw Error(Code::kConflict, Cat(path, ": is there already"), "give the backup a new name");
  const DataUse use = DataUse::Share(studio.Path("data"));  // what the copy names is not collected meanwhile
  BackupManifest manifest{.studio = studio.name(),
                          .tenant = studio.tenant(),
                          .atelier = atelier,
                          .created_at = NowMillis(),
                          .secrets = secrets && FileExists(studio.Path(kSecret))};
  ArchiveWriter archive(path);
  const std::string parent = fs::absolute(path).parent_path().string();
  const Scratch scratch(Cat(parent, "/.new-", NewUuid()));
  const std::string database = Cat(scratch.path(), "/", kDatabase);
  studio.db().CopyTo(database);
  {
    Database copy = Database::Open(database);
    manifest.schema = SchemaVersion(copy);
    manifest.rows = CountRows(copy);
    copy.Execute("PRAGMA journal_mode = DELETE");  // one file, to be opened anywhere
  }
  uint64_t total = FileSize(database), done = 0;
  const auto add = [&](const std::string& name, const std::string& from) {
    Sha256 hash;
    uint64_t bytes = 0;
    archive.AddFile(name, from, [&](std::string_view piece) {
      hash.Update(piece);
      bytes += piece.size();
      done += piece.size();
      if (progress) progress(done, std::max(done, total), name);
    });
    manifest.files.push_back({name, bytes, hash.Hex()});
  };
  add(std::string(kDatabase), database);
  add(std::string(kSettings), studio.Path(kSettings));
  if (manifest.secrets) add(std::string(kSecret), studio.Path(kSecret));
  for (const std::string& file : FilesOf(studio)) {
    if (NamesOthers(file)) add(file, studio.Path(file));
    std::error_code gone;
    const auto size = fs::file_size(studio.Path(file), gone);
    if (!gone) total += size;
  }
  for (const std::string& file : FilesOf(studio)) {
    if (!NamesOthers(file)) add(file, studio.Path(file));
  }
  const std::string list = ToText(ToJson(manifest));
  archive.AddBytes(std::string(kManifest), list);
  archive.AddBytes(std::string(kSeal), Seal(list));
  archive.Commit();
  return manifest;
}

BackupManifest CheckBackup(const std::string& path, const ProgressFn& progress) {
  const Scratch scratch(Cat(fs::temp_directory_path().string(), "/atelier-", NewUuid()));
  const std::string database = Cat(scratch.path(), "/", kDatabase);
  const BackupManifest manifest = Walk(path, progress, [&](const std::string& name) -> PieceFn {
    if (name != kDatabase) return [](std::string_view) {};
    return WriteTo(database, 0600);
  });
  CheckDatabase(path, database, manifest);
  return manifest;
}

BackupManifest RestoreBackup(const std::string& path, const std::string& folder, const ProgressFn& progress,
                             uint64_t spare) {
  const fs::path target = fs::absolute(folder).lexically_normal();
  std::error_code error;
  if (fs::exists(target, error) && !(fs::is_directory(target, error) && fs::is_empty(target, error)))
    throw Error(Code::kConflict, Cat(folder, ": is there already, and not empty"), "name a new folder");
  const fs::path parent = (target.has_filename() ? target : target.parent_path()).parent_path();
  MakeFolders(parent.string());
  Scratch scratch(Cat(parent.string(), "/.new-", NewUuid()));
  std::set<std::string> folders = {scratch.path()};
  const BackupManifest manifest = Walk(path, progress, [&](const std::string& name) -> PieceFn {
    const std::string file = Cat(scratch.path(), "/", name);
    const std::string below = fs::path(file).parent_path().string();
    if (folders.insert(below).second) MakeFolders(below);
    const PieceFn write = WriteTo(file, name == kSecret || name == kDatabase ? 0600 : 0644);
    return [write, parent, spare, path](std::string_view piece) {
      std::error_code unknown;
      const fs::space_info space = fs::space(parent, unknown);
      if (!unknown && space.available < spare + piece.size())
        throw Error(Code::kResourceExhausted, Cat(path, ": does not fit on the disk"), "free some space and try again");
      write(piece);
    };
  });
  CheckDatabase(path, Cat(scratch.path(), "/", kDatabase), manifest);
  if (!FileExists(Cat(scratch.path(), "/", kSettings)))
    throw Error(Code::kCorrupt, Cat(path, ": holds no studio.toml"));
  for (const std::string_view below : Studio::Folders()) MakeFolders(Cat(scratch.path(), "/", below));
  for (const std::string& below : folders) Sync(below);
  fs::remove(target, error);  // an empty folder in its place
  Rename(scratch.path(), target.string());
  scratch.Keep();
  Sync(parent.string());
  return manifest;
}

}  // namespace atelier::store
