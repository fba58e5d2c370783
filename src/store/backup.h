// A whole studio in one file, and back. docs/formats/backup.md.
//
// It may be made while a server works on the studio: the database as it stood at one moment, and after that the files
// beside it, which are never changed once they are there (datasets, models, objects) or are replaced as wholes. What
// the database knew at that moment is in the backup; what came later may be missing from it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "store/studio.h"

namespace atelier::store {

struct BackupFile {
  std::string path;  // below the studio's folder
  uint64_t bytes = 0;
  std::string sha256;
};

// What a backup says of itself, in its last file.
struct BackupManifest {
  std::string studio, tenant, atelier;       // names, and the program's version
  int64_t created_at = 0;                    // Unix milliseconds
  int schema = 0;                            // of the database
  std::map<std::string, int64_t> rows = {};  // by table
  std::vector<BackupFile> files = {};
  bool secrets = true;  // keys.secret is in it

  uint64_t bytes() const;
};

Json ToJson(const BackupManifest& manifest);

// Writes `path`, which its owner alone may read. Throws kConflict where the file is there, kUnavailable where files of
// the studio went or shrank meanwhile.
BackupManifest MakeBackup(Studio& studio, const std::string& path, bool secrets, const std::string& atelier,
                          const ProgressFn& progress = {});

// Reads all of it and holds it against what it says: every file's hash, the database's own check and its rows. Throws
// kCorrupt for whatever is not so.
BackupManifest CheckBackup(const std::string& path, const ProgressFn& progress = {});

// CheckBackup, and the files in `folder`, which must not be there or be empty. All or nothing: it appears with one
// rename. Leaves at least `spare` bytes of the disk free.
BackupManifest RestoreBackup(const std::string& path, const std::string& folder, const ProgressFn& progress = {},
                             uint64_t spare = uint64_t{256} << 20);

}  // namespace atelier::store
