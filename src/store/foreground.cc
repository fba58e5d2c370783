#include "store/foreground.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::store {
namespace {

// Locks of an open file (F_OFD_*): they end with it, threads and other files of a process do not share them, and one
// can ask for them without taking them.
struct flock Lock(short kind) {
  struct flock lock {};
  lock.l_type = kind;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

std::string ForegroundPath() {
  try {
    const std::string home = AtelierHome();
    MakeFolders(home);
    return Cat(home, "/foreground.lock");
  } catch (const Error&) {
    return "";
  }
}

Foreground::Foreground(const std::string& path) {
  if (!path.empty()) fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
}

Foreground::~Foreground() {
  if (fd_ >= 0) ::close(fd_);
}

std::shared_ptr<void> Foreground::Hold() {
  {
    const std::lock_guard lock(mutex_);
    struct flock shared = Lock(F_RDLCK);
    if (fd_ >= 0 && held_++ == 0) ::fcntl(fd_, F_OFD_SETLK, &shared);
  }
  return {this, [](Foreground* self) { self->Leave(); }};
}

void Foreground::Leave() {
  const std::lock_guard lock(mutex_);
  struct flock none = Lock(F_UNLCK);
  if (fd_ >= 0 && --held_ == 0) ::fcntl(fd_, F_OFD_SETLK, &none);
}

bool Foreground::Taken() const {
  struct flock whole = Lock(F_WRLCK);
  return fd_ >= 0 && ::fcntl(fd_, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

}  // namespace atelier::store
