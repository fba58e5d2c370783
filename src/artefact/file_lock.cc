#include "artefact/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/str.h"

namespace atelier::artefact {

FileLock::FileLock(const std::string& path, const std::function<void()>& on_wait) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) throw Error(Code::kIo, Cat(path, ": opening the lock: ", std::strerror(errno)));
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  if (on_wait) on_wait();
  while (::flock(fd_, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int why = errno;
    ::close(fd_);
    throw Error(Code::kIo, Cat(path, ": waiting for the lock: ", std::strerror(why)));
  }
}

FileLock::~FileLock() { ::close(fd_); }

}  // namespace atelier::artefact
