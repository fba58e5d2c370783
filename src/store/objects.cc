#include "store/objects.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::store {

std::string Objects::Path(std::string_view hash) const {
  bool good = hash.size() == 64;
  for (const char c : hash) good = good && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  if (!good)
    throw Error(Code::kInvalidInput, Cat(Quote(hash, 80), " is not an object's name: 64 lower-case hex digits"));
  return Cat(folder_, "/", hash.substr(0, 2), "/", hash.substr(2));
}

bool Objects::Has(std::string_view hash) const { return FileExists(Path(hash)); }

std::string Objects::Put(std::string_view bytes) const {
  std::string hash = Sha256Hex(bytes);
  const std::string path = Path(hash);
  if (FileExists(path) && FileSize(path) == bytes.size() && IsSound(hash)) return hash;
  MakeFolders(Cat(folder_, "/", hash.substr(0, 2)));
  WriteFileAtomic(path, bytes);
  return hash;
}

std::string Objects::Get(std::string_view hash) const {
  const std::string path = Path(hash);
  if (!FileExists(path)) throw Error(Code::kNotFound, Cat("the object ", hash, " is not in ", folder_));
  std::string bytes = ReadFile(path);
  if (Sha256Hex(bytes) != hash) {
    throw Error(Code::kCorrupt, Cat(path, ": the stored bytes are not those that were put there"),
                "restore the file from a backup");
  }
  return bytes;
}

std::vector<std::string> Objects::Hashes() const {
  std::vector<std::string> hashes;
  for (const std::string& first : ListFolder(folder_)) {
    if (first.size() != 2) continue;
    for (const std::string& rest : ListFolder(Cat(folder_, "/", first))) {
      if (rest.size() == 62) hashes.push_back(first + rest);
    }
  }
  return hashes;
}

uint64_t Objects::Size(std::string_view hash) const { return FileSize(Path(hash)); }

uint64_t Objects::Remove(std::string_view hash) const {
  const std::string path = Path(hash);
  if (!FileExists(path)) return 0;
  const uint64_t bytes = FileSize(path);
  RemoveFile(path);
  return bytes;
}

uint64_t Objects::RemoveHalves(bool dry) const {
  uint64_t bytes = 0;
  for (const std::string& first : ListFolder(folder_)) {
    if (first.size() != 2) continue;
    for (const std::string& rest : ListFolder(Cat(folder_, "/", first))) {
      if (rest.find(".tmp.") == std::string::npos) continue;  // WriteFileAtomic's
      const std::string path = Cat(folder_, "/", first, "/", rest);
      bytes += FileSize(path);
      if (!dry) RemoveFile(path);
    }
  }
  return bytes;
}

bool Objects::IsSound(std::string_view hash) const { return Sha256HexOfFile(Path(hash)) == hash; }

}  // namespace atelier::store
