// Files: whole reads with a limit, atomic writes, read-only maps, safe joins of names that come from outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atelier {

// What errno says of `doing` ("opening") that failed, as an error: kNotFound, kPermissionDenied, kResourceExhausted on
// a full disk, else kIo.
[[noreturn]] void FailErrno(std::string_view doing, const std::string& path);

// The whole file. Throws kNotFound, kIo, or kInvalidInput when it is larger than `most` bytes. Reads pipes too.
std::string ReadFile(const std::string& path, uint64_t most = uint64_t{1} << 30);

// Calls fn with the file's bytes in their order, some at a time: for files of any size. Throws as ReadFile does.
void ReadPieces(const std::string& path, const std::function<void(std::string_view piece)>& fn);

// Writes a temporary file beside `path`, fsyncs it and renames it over `path`: readers see the old bytes or the new,
// never a part, whatever dies in between. Throws kIo (or kResourceExhausted on a full disk) and leaves no temporary.
void WriteFileAtomic(const std::string& path, std::string_view data);

// The same for bytes that come in pieces. Destroyed without Commit(), it leaves nothing behind.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void Write(std::string_view data);
  void Commit();

 private:
  std::string path_, temporary_;
  int fd_ = -1;
};

bool FileExists(const std::string& path);  // a regular file
bool FolderExists(const std::string& path);
// Whether both name one file that is there, by whichever links and spellings.
bool SameFile(const std::string& a, const std::string& b);
uint64_t FileSize(const std::string& path);
void MakeFolders(const std::string& path);  // like mkdir -p
void RemoveFile(const std::string& path);   // absent is fine
void Rename(const std::string& from, const std::string& to);
std::vector<std::string> ListFolder(const std::string& path);  // names, sorted

// A name from outside (a recipe, an archive's entry) as a path below `folder`. Throws kPermissionDenied for absolute
// names, '..', NUL bytes, links that lead out, pipes and devices.
std::string JoinInside(const std::string& folder, std::string_view name);

// The user's home for Atelier: $ATELIER_HOME, else ~/.atelier.
std::string AtelierHome();

// A read-only map of a whole file. The bytes stay valid as long as the object; a file that shrinks under it is the
// operator's doing (we replace files by rename, which leaves old maps whole).
class MappedFile {
 public:
  static std::shared_ptr<const MappedFile> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  MappedFile() = default;
  std::string path_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace atelier
