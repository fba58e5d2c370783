// What the studio commands say of a backup.
#pragma once

#include <iostream>

#include "app/atelier/command.h"
#include "base/ids.h"
#include "base/str.h"
#include "store/backup.h"
#include "text/unicode.h"

namespace atelier::app {

inline void PrintBackup(const store::BackupManifest& backup, const std::string& done, const Globals& globals) {
  int64_t rows = 0;
  for (const auto& [table, count] : backup.rows) rows += count;
  const auto keys = backup.rows.find("api_keys");
  const bool keyless = !backup.secrets && keys != backup.rows.end() && keys->second > 0;
  if (globals.json) {
    std::cout << ToText(store::ToJson(backup)) << "\n";
    return;
  }
  std::cout << done << ": the studio " << text::ForTerminal(backup.studio) << " as of " << FormatTime(backup.created_at)
            << ", " << backup.files.size() << " files, " << FormatBytes(backup.bytes()) << ", " << rows << " rows in "
            << backup.rows.size() << " tables" << (keyless ? ", without keys.secret: no API key of it works" : "")
            << ".\n";
}

}  // namespace atelier::app
