// A studio: one folder with `studio.toml`, `studio.db`, `data/ models/ recipes/ objects/`. docs/formats/studio.md.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/config.h"
#include "store/database.h"
#include "store/objects.h"

namespace atelier::store {

// kReadIfMust: a database that cannot be written (rights, a read-only or a full disk) is opened for reading.
enum class Access { kWrite, kReadIfMust };

class Studio {
 public:
  // Makes the folder a studio. Existing files in it stay as they are. Throws kConflict when it is one already.
  // `studio.toml` is written last: an interrupted Init leaves no half-made studio, and may be repeated.
  static Studio Init(const std::string& folder);
  // Opens the studio in exactly this folder and brings its database up to date. Throws kNotFound when there is none.
  static Studio Open(const std::string& folder, Access access = Access::kWrite);
  // The studio to work in: `named` (from --studio) where given, else the nearest folder with a studio.toml from
  // `start` upwards. Nothing when there is none; a `named` one that is not there throws.
  static std::optional<Studio> Find(const std::string& named, const std::string& start = ".",
                                    Access access = Access::kWrite);
  // The same, but none throws kNotFound with a hint how to make one.
  static Studio Require(const std::string& named, const std::string& start = ".", Access access = Access::kWrite);

  // Of a studio, below its own: what they hold belongs to the studio.
  static std::span<const std::string_view> Folders();

  const std::string& folder() const { return folder_; }
  const std::string& name() const { return name_; }
  const std::string& tenant() const { return tenant_; }  // of rows that nobody says more about
  std::string Path(std::string_view below) const;        // FOLDER/below
  // Of the secret that API keys are hashed under, made with the first key.
  std::string SecretPath() const { return Path(kSecretFile); }
  static constexpr std::string_view kSecretFile = "keys.secret";
  // The table NAME of studio.toml, which is another room's to read, as the file is now; nothing where it has none.
  // Throws where anything in the file is wrong.
  std::optional<Table> Settings(std::string_view name) const;

  Database& db() { return db_; }
  bool read_only() const { return db_.read_only(); }
  // The database anew, as the disk has it now; where it cannot be opened, the old connection stays.
  // REQUIRES: no statement of db() is alive.
  void Reopen(Access access);

  Objects objects() const { return Objects(Path("objects")); }

 private:
  Studio(std::string folder, std::string name, std::string tenant, Database db);
  std::string folder_, name_, tenant_;
  Database db_;
};

}  // namespace atelier::store
