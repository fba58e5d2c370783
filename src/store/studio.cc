#include "store/studio.h"

#include <filesystem>

#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "store/migrations.h"

namespace atelier::store {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFile = "studio.toml";
constexpr std::string_view kFolders[] = {"data", "models", "recipes", "objects", "indexes", "suites"};
constexpr std::string_view kTables[] = {"serve"};  // of studio.toml, read by the rooms of that name
constexpr const char* kMakeOne = "make one with `atelier init DIR`, or name one with --studio DIR";

std::string Absolute(const std::string& folder) {
  std::error_code ignored;
  const fs::path path = fs::weakly_canonical(fs::absolute(folder.empty() ? "." : folder, ignored), ignored);
  return path.empty() ? folder : path.string();
}

struct StudioFile {
  std::string name, tenant;
  Table table;
};

StudioFile ReadStudioFile(const std::string& file) {
  Table table = Table::Load(file);
  const int64_t format = table.Int("format");
  if (format != 1) table.Refuse("format", Cat("is ", format, ", and this program reads 1"), "use a newer Atelier");
  std::string name = table.String("name");
  std::string tenant = table.StringOr("tenant", "default");
  if (tenant.empty()) table.Refuse("tenant", "is empty", "leave it out for 'default'");
  for (const std::string_view others : kTables) table.SubOr(others);
  table.Done();
  return {std::move(name), std::move(tenant), std::move(table)};
}

Database OpenDatabase(const std::string& path, Access access) {
  // It was made with one: an empty new one in its place would look as if nothing had ever been made.
  std::error_code ignored;
  if (const auto size = fs::file_size(path, ignored); ignored || size == 0) {
    throw Error(Code::kCorrupt, Cat(path, ": is ", ignored ? "missing" : "empty", ", and with it the studio's history"),
                "put it back from a copy; to begin afresh, delete studio.toml and run atelier init");
  }
  try {
    Database db = Database::OpenExisting(path);
    Migrate(db);
    return db;
  } catch (const Error& error) {
    const bool unwritable = error.code() == Code::kPermissionDenied || error.code() == Code::kIo ||
                            error.code() == Code::kResourceExhausted;
    if (access == Access::kWrite || !unwritable) throw;
    Database db = Database::OpenFrozen(path);  // throws what says more, where that is no way either
    Migrate(db);
    return db;
  }
}

// A folder's name as a TOML string: JSON's escapes are TOML's, but for DEL, which TOML wants gone too.
std::string TomlString(const std::string& text) { return ToText(Json(ReplaceAll(text, "\x7f", ""))); }

}  // namespace

Studio::Studio(std::string folder, std::string name, std::string tenant, Database db)
    : folder_(std::move(folder)), name_(std::move(name)), tenant_(std::move(tenant)), db_(std::move(db)) {}

std::span<const std::string_view> Studio::Folders() { return kFolders; }

std::string Studio::Path(std::string_view below) const { return Cat(folder_, "/", below); }

Studio Studio::Init(const std::string& folder) {
  const std::string root = Absolute(folder);
  const std::string file = Cat(root, "/", kFile);
  if (FileExists(file)) throw Error(Code::kConflict, Cat(root, ": is a studio already"));
  MakeFolders(root);
  for (const std::string_view below : kFolders) MakeFolders(Cat(root, "/", below));
  {
    Database db = Database::Open(Cat(root, "/studio.db"));
    Migrate(db);
  }
  std::string name = fs::path(root).filename().string();
  if (name.empty()) name = "studio";
  WriteFileAtomic(file, Cat("# An Atelier studio. docs/formats/studio.md explains every key.\nformat = 1\nname = ",
                            TomlString(name), "\n"));
  return Open(root);
}

Studio Studio::Open(const std::string& folder, Access access) {
  const std::string root = Absolute(folder);
  const std::string file = Cat(root, "/", kFile);
  if (!FileExists(file)) throw Error(Code::kNotFound, Cat(root, ": is not a studio: it has no ", kFile), kMakeOne);
  const StudioFile read = ReadStudioFile(file);
  Database db = OpenDatabase(Cat(root, "/studio.db"), access);
  if (!db.read_only()) {
    for (const std::string_view below : kFolders) MakeFolders(Cat(root, "/", below));
  }
  return Studio(root, read.name, read.tenant, std::move(db));
}

std::optional<Table> Studio::Settings(std::string_view name) const {
  return ReadStudioFile(Path(kFile)).table.SubOr(name);
}

void Studio::Reopen(Access access) { db_ = OpenDatabase(Path("studio.db"), access); }

std::optional<Studio> Studio::Find(const std::string& named, const std::string& start, Access access) {
  if (!named.empty()) return Open(named, access);
  fs::path at = Absolute(start);
  while (true) {
    if (FileExists((at / kFile).string())) return Open(at.string(), access);
    if (!at.has_parent_path() || at.parent_path() == at) return std::nullopt;
    at = at.parent_path();
  }
}

Studio Studio::Require(const std::string& named, const std::string& start, Access access) {
  std::optional<Studio> found = Find(named, start, access);
  if (!found) throw Error(Code::kNotFound, "there is no studio here", kMakeOne);
  return std::move(*found);
}

}  // namespace atelier::store
