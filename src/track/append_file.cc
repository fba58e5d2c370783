#include "track/append_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::track {
namespace {

[[noreturn]] void Fail(int why, std::string_view doing, const std::string& path) {
  if (why == EEXIST) throw Error(Code::kConflict, Cat(path, ": is there already"));
  errno = why;
  FailErrno(doing, path);
}

void Lock(int fd, const std::string& path) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return;
  const int why = errno;
  ::close(fd);
  if (why != EWOULDBLOCK) Fail(why, "locking", path);
  throw Error(Code::kConflict, Cat(path, ": another process writes this run"), "wait for it, or stop it");
}

}  // namespace

AppendFile AppendFile::Temporary(const std::string& path) {
  RemoveFile(path);  // of a process that died here
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) Fail(errno, "creating", path);
  Lock(fd, path);
  return AppendFile(path, fd);
}

AppendFile AppendFile::Create(const std::string& path, std::string_view first) {
  const std::string temporary = Cat(path, ".new", static_cast<int64_t>(::getpid()));
  AppendFile file = Temporary(temporary);
  try {
    file.Append(first);
    file.Sync();
    if (::link(temporary.c_str(), path.c_str()) != 0) Fail(errno, "creating", path);  // unlike rename, replaces nothing
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  RemoveFile(temporary);
  file.path_ = path;
  return file;
}

AppendFile AppendFile::Rewrite(const std::string& path, const std::function<void(AppendFile* anew)>& write) {
  const int before = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (before < 0) Fail(errno, "opening", path);
  Lock(before, path);  // closed, and so released, only when the new file is in its place, locked itself
  const AppendFile hold(path, before);
  const std::string temporary = path + ".new";
  AppendFile anew = Temporary(temporary);
  try {
    write(&anew);
    anew.Sync();
    Rename(temporary, path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  anew.path_ = path;
  return anew;
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

AppendFile::~AppendFile() {
  if (fd_ >= 0) ::close(fd_);
}

void AppendFile::Append(std::string_view record) {
  const uint64_t whole = size_ + record.size();
  std::string_view rest = record;
  while (!rest.empty()) {
    const ssize_t n = ::write(fd_, rest.data(), rest.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      const int why = errno;
      if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) Fail(errno, "cutting off half a record", path_);
      Fail(why, "writing", path_);
    }
    rest.remove_prefix(static_cast<size_t>(n));
  }
  size_ = whole;
}

void AppendFile::Sync() {
  if (::fsync(fd_) != 0) Fail(errno, "syncing", path_);
}

}  // namespace atelier::track
