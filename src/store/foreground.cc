#include "store/foreground.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::store {

std::string ForegroundPath() {
  try {
    return Cat(AtelierHome(), "/foreground.lock");
  } catch (const Error&) {
    return "";
  }
}

Foreground::Foreground(const std::string& path) {
  if (!path.empty()) fd_ = ::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0666);
}

Foreground::~Foreground() {
  if (fd_ >= 0) ::close(fd_);
}

std::shared_ptr<void> Foreground::Hold() {
  {
    const std::lock_guard lock(mutex_);
    // Without waiting: who asks holds the lock for an instant, and the next request takes it.
    if (fd_ >= 0 && (held_++ == 0 || !locked_)) locked_ = ::flock(fd_, LOCK_SH | LOCK_NB) == 0;
  }
  return {this, [](Foreground* self) { self->Leave(); }};
}

void Foreground::Leave() {
  const std::lock_guard lock(mutex_);
  if (fd_ < 0 || --held_ > 0) return;
  ::flock(fd_, LOCK_UN);
  locked_ = false;
}

bool Foreground::Taken() const {
  if (fd_ < 0) return false;
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) return true;
  ::flock(fd_, LOCK_UN);
  return false;
}

}  // namespace atelier::store
