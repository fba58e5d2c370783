#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/str.h"

namespace atelier {
namespace fs = std::filesystem;
namespace {

void WriteAll(int fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      FailErrno("writing", path);
    }
    data.remove_prefix(static_cast<size_t>(n));
  }
}

void SyncFolder(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // the rename happened; a folder that cannot be synced is not worth failing for
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

void FailErrno(std::string_view doing, const std::string& path) {
  const int why = errno;
  switch (why) {
    case ENOENT: throw Error(Code::kNotFound, Cat(path, ": no such file or folder"));
    case EACCES:
    case EPERM:
    case EROFS: throw Error(Code::kPermissionDenied, Cat(path, ": ", doing, ": ", std::strerror(why)));
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      throw Error(Code::kResourceExhausted, Cat(path, ": ", doing, ": the disk is full, or the file may not grow"),
                  "free some space and try again; what was there before is whole");
    default: throw Error(Code::kIo, Cat(path, ": ", doing, ": ", std::strerror(why)));
  }
}

std::string ReadFile(const std::string& path, uint64_t most) {
  std::string out;
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && static_cast<uint64_t>(info.st_size) <= most) {
    out.reserve(static_cast<size_t>(info.st_size));
  }
  ReadPieces(path, [&](std::string_view piece) {
    out += piece;
    if (out.size() > most) {
      throw Error(Code::kInvalidInput, Cat(path, ": larger than ", FormatBytes(most), ", the most that is read here"));
    }
  });
  return out;
}

void ReadPieces(const std::string& path, const std::function<void(std::string_view piece)>& fn) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) FailErrno("opening", path);
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    throw Error(Code::kInvalidInput, Cat(path, ": is a folder, a file is wanted"));
  }
  const size_t room = static_cast<size_t>(std::clamp<off_t>(info.st_size + 1, 1 << 16, 1 << 20));
  const auto buffer = std::make_unique_for_overwrite<char[]>(room);
  while (true) {
    const ssize_t n = ::read(fd, buffer.get(), room);
    if (n < 0) {
      if (errno == EINTR) continue;
      FailErrno("reading", path);
    }
    if (n == 0) return;
    fn({buffer.get(), static_cast<size_t>(n)});
  }
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  temporary_ = Cat(path_, ".tmp.XXXXXX");
  fd_ = ::mkstemp(temporary_.data());
  if (fd_ < 0) {
    temporary_.clear();
    FailErrno("creating", path_);
  }
  ::fcntl(fd_, F_SETFD, FD_CLOEXEC);
  const mode_t mask = ::umask(0);  // mkstemp makes 0600; a written file follows the user's mask like any other
  ::umask(mask);
  ::fchmod(fd_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::Write(std::string_view data) { WriteAll(fd_, data, path_); }

void AtomicFile::Commit() {
  if (::fsync(fd_) != 0) FailErrno("syncing", path_);
  if (::close(std::exchange(fd_, -1)) != 0) FailErrno("closing", path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) FailErrno("renaming", path_);
  temporary_.clear();
  SyncFolder(path_);
}

void WriteFileAtomic(const std::string& path, std::string_view data) {
  AtomicFile file(path);
  file.Write(data);
  file.Commit();
}

bool FileExists(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool FolderExists(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool SameFile(const std::string& a, const std::string& b) {
  std::error_code absent;
  return fs::equivalent(a, b, absent) && !absent;
}

uint64_t FileSize(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) FailErrno("looking at", path);
  return static_cast<uint64_t>(info.st_size);
}

void MakeFolders(const std::string& path) {
  std::error_code why;
  fs::create_directories(path, why);
  if (why || !FolderExists(path)) {
    errno = why ? why.value() : ENOTDIR;
    FailErrno("making the folder", path);
  }
}

void RemoveFile(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) FailErrno("removing", path);
}

void Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) FailErrno("renaming", from);
  SyncFolder(to);
}

std::vector<std::string> ListFolder(const std::string& path) {
  std::error_code why;
  std::vector<std::string> names;
  for (fs::directory_iterator it(path, why), end; !why && it != end; it.increment(why)) {
    names.push_back(it->path().filename().string());
  }
  if (why) {
    errno = why.value();
    FailErrno("listing", path);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string JoinInside(const std::string& folder, std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    throw Error(Code::kPermissionDenied, Cat("the path ", Quote(name), " ", why), "name a file inside the folder");
  };
  if (name.empty()) refuse("is empty");
  if (name.find('\0') != std::string_view::npos) refuse("holds a NUL byte");
  const fs::path relative{std::string(name)};
  if (relative.is_absolute()) refuse("is absolute");
  for (const fs::path& part : relative) {
    if (part == "..") refuse("leads out of its folder");
  }
  std::error_code ignored;
  const fs::path root = fs::weakly_canonical(folder, ignored);
  const fs::path full = fs::weakly_canonical(root / relative, ignored);
  const auto [end, at] = std::mismatch(root.begin(), root.end(), full.begin(), full.end());
  if (end != root.end()) refuse("leads out of its folder");
  const fs::file_status what = fs::status(full, ignored);  // opening a pipe would wait for somebody to write to it
  if (fs::exists(what) && !fs::is_regular_file(what) && !fs::is_directory(what)) refuse("is a pipe or a device");
  return full.string();
}

std::string AtelierHome() {
  if (const char* home = std::getenv("ATELIER_HOME"); home != nullptr && *home != '\0') return home;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return Cat(home, "/.atelier");
  throw Error(Code::kNotFound, "neither ATELIER_HOME nor HOME is set", "set ATELIER_HOME to a folder for models");
}

std::shared_ptr<const MappedFile> MappedFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) FailErrno("opening", path);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    throw Error(Code::kInvalidInput, Cat(path, ": not a regular file"));
  }
  std::shared_ptr<MappedFile> file(new MappedFile());
  file->path_ = path;
  file->size_ = static_cast<size_t>(info.st_size);
  if (file->size_ > 0) {
    void* at = ::mmap(nullptr, file->size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) {
      ::close(fd);
      FailErrno("mapping", path);
    }
    file->data_ = static_cast<const uint8_t*>(at);
  }
  ::close(fd);
  return file;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), size_);
}

}  // namespace atelier
