#include "experiment/output_cache.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::experiment {
namespace {

constexpr int kCacheFormat = 1;  // of an entry and of what outputs are made of; another number forgets all

}  // namespace

OutputCache::OutputCache(std::string folder, Now model, Now index)
    : folder_(std::move(folder)), model_(std::move(model)), index_(std::move(index)) {}

std::string OutputCache::Key(const Json& what) { return Sha256Hex(Cat(kCacheFormat, "\n", ToText(what))); }

std::string OutputCache::Path(const std::string& key) const {
  return Cat(folder_, "/", key.substr(0, 2), "/", key.substr(2), ".json");
}

std::optional<Output> OutputCache::Get(const std::string& key) const {
  if (folder_.empty()) return std::nullopt;
  const std::string path = Path(key);
  try {
    if (!FileExists(path)) return std::nullopt;
    const Json entry = ParseJson(ReadFile(path), path);
    for (const auto& [name, hash] : entry.at("models").items()) {
      if (model_(name) != hash.get<std::string>()) return std::nullopt;
    }
    for (const auto& [name, version] : entry.at("indexes").items()) {
      if (index_(name) != version.get<std::string>()) return std::nullopt;
    }
    Output output = OutputFromJson(entry, path);
    output.cached = true;
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // it was used: see Prune
    return output;
  } catch (const Error&) {
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

void OutputCache::Put(const std::string& key, const Output& output, const Dependencies& on) const {
  if (folder_.empty()) return;
  Json entry = ToJson(output);
  entry["models"] = on.models;
  entry["indexes"] = on.indexes;
  const std::string path = Path(key);
  MakeFolders(path.substr(0, path.rfind('/')));
  WriteFileAtomic(path, ToText(entry));
}

void OutputCache::Prune(int days) const {
  if (folder_.empty() || !FolderExists(folder_)) return;
  const auto oldest = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * days);
  std::error_code error;
  // Others may prune or remove the folder meanwhile.
  for (std::filesystem::recursive_directory_iterator at(folder_, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;
    const auto written = at->last_write_time(gone);
    if (!gone && at->is_regular_file(gone) && written < oldest) std::filesystem::remove(at->path(), gone);
  }
}

}  // namespace atelier::experiment
