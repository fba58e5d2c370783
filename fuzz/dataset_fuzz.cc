// A dataset version from an enemy: the manifest, then the bytes of its first shard, parted by a NUL. Only Error may
// come out; every block that is given is whole lines and no more than the manifest says.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "data/dataset.h"
#include "data/field_stats.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  static const std::string folder = [] {
    std::string path = std::filesystem::temp_directory_path().string() + "/dataset_fuzz." + std::to_string(::getpid());
    std::filesystem::create_directories(path);
    return path;
  }();
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(all.find('\0'), all.size());
  const std::string_view shard = cut < all.size() ? all.substr(cut + 1) : std::string_view();
  std::ofstream(folder + "/manifest.json") << all.substr(0, cut);
  std::ofstream(folder + "/part-00000.jsonl.zst") << shard;
  try {
    const data::Manifest manifest = data::ParseManifest(all.substr(0, cut), "fuzz");
    if (ToText(data::ToJson(data::ParseManifest(ToText(data::ToJson(manifest)), "fuzz"))) !=
        ToText(data::ToJson(manifest))) {
      std::abort();
    }
    const data::DatasetReader reader(folder);
    uint64_t bytes = 0;
    reader.ReadAll([&](std::string_view lines) {
      bytes += lines.size();
      if (lines.empty() || lines.back() != '\n' || bytes > manifest.bytes) std::abort();
      return true;
    });
  } catch (const Error&) {
  }
  // The shard by itself, since a manifest that fits it is hard to guess.
  try {
    std::ofstream(folder + "/rejects.jsonl.zst") << shard;
    const data::DatasetReader reader(folder);
    data::FieldStatistics statistics;
    reader.ReadRejects([&](std::string_view lines) {
      statistics.Add(lines);
      return true;
    });
  } catch (const Error&) {
  }
  return 0;
}
