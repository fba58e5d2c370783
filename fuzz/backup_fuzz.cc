// A backup from a stranger: checked and restored into a folder. It is refused by an Error that says so, or what it made
// is a studio's folder and nothing beside it.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "store/backup.h"

namespace fs = std::filesystem;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string root = [] {
    std::string made = (fs::temp_directory_path() / "backup_fuzz.XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr) std::abort();
    return made;
  }();
  const std::string file = root + "/in.tar.zst", target = root + "/out";
  {
    FILE* out = std::fopen(file.c_str(), "wb");
    if (out == nullptr) std::abort();
    std::fwrite(data, 1, size, out);
    std::fclose(out);
  }
  uint64_t seen = 0;
  const atelier::ProgressFn bounded = [&](uint64_t, uint64_t, std::string_view) {
    if (++seen > 64) throw atelier::Error(atelier::Code::kCancelled, "enough");
  };
  try {
    atelier::store::RestoreBackup(file, target, bounded);
  } catch (const atelier::Error&) {
  }
  size_t others = 0;
  for (const auto& entry : fs::directory_iterator(root)) others += entry.path() != file && entry.path() != target;
  if (others != 0) std::abort();
  fs::remove_all(target);
  fs::remove(file);
  return 0;
}
