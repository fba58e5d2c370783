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
constexpr std::string_view kFolders[] = {"data", "models", "recipes", "objects"};
constexpr const char* kMakeOne = "make one with `atelier init DIR`, or name one with --studio DIR";

std::string Absolute(const std::string& folder) {
  std::error_code ignored;
  const fs::path path = fs::weakly_canonical(fs::absolute(folder.empty() ? "." : folder, ignored), ignored);
  return path.empty() ? folder : path.string();
}

// A folder's name as a TOML string: JSON's escapes are TOML's, but for DEL, which TOML wants gone too.
std::string TomlString(const std::string& text) { return ToText(Json(ReplaceAll(text, "\x7f", ""))); }

}  // namespace

Studio::Studio(std::string folder, std::string name, std::string tenant, Database db)
    : folder_(std::move(folder)), name_(std::move(name)), tenant_(std::move(tenant)), db_(std::move(db)) {}

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

Studio Studio::Open(const std::string& folder) {
  const std::string root = Absolute(folder);
  const std::string file = Cat(root, "/", kFile);
  if (!FileExists(file)) throw Error(Code::kNotFound, Cat(root, ": is not a studio: it has no ", kFile), kMakeOne);
  Table table = Table::Load(file);
  const int64_t format = table.Int("format");
  if (format != 1) table.Refuse("format", Cat("is ", format, ", and this program reads 1"), "use a newer Atelier");
  std::string name = table.String("name");
  std::string tenant = table.StringOr("tenant", "default");
  if (tenant.empty()) table.Refuse("tenant", "is empty", "leave it out for 'default'");
  table.Done();
  // It was made with one: an empty new one in its place would look as if nothing had ever been made.
  std::error_code ignored;
  const std::string database = Cat(root, "/studio.db");
  if (const auto size = fs::file_size(database, ignored); ignored || size == 0) {
    throw Error(Code::kCorrupt,
                Cat(database, ": is ", ignored ? "missing" : "empty", ", and with it the studio's history"),
                "put it back from a copy; to begin afresh, delete studio.toml and run atelier init");
  }
  for (const std::string_view below : kFolders) MakeFolders(Cat(root, "/", below));
  Database db = Database::Open(database);
  Migrate(db);
  return Studio(root, std::move(name), std::move(tenant), std::move(db));
}

std::optional<Studio> Studio::Find(const std::string& named, const std::string& start) {
  if (!named.empty()) return Open(named);
  fs::path at = Absolute(start);
  while (true) {
    if (FileExists((at / kFile).string())) return Open(at.string());
    if (!at.has_parent_path() || at.parent_path() == at) return std::nullopt;
    at = at.parent_path();
  }
}

Studio Studio::Require(const std::string& named, const std::string& start) {
  std::optional<Studio> found = Find(named, start);
  if (!found) throw Error(Code::kNotFound, "there is no studio here", kMakeOne);
  return std::move(*found);
}

}  // namespace atelier::store
