#include "store/data_use.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/str.h"

namespace atelier::store {
namespace {

int Open(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno != ENOENT) throw Error(Code::kIo, Cat(folder, ": opening: ", std::strerror(errno)));
  return fd;
}

// False: somebody else holds it otherwise.
bool Lock(int fd, int how, const std::string& folder) {
  while (::flock(fd, how) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) throw Error(Code::kIo, Cat(folder, ": locking: ", std::strerror(errno)));
  }
  return true;
}

}  // namespace

DataUse DataUse::Share(const std::string& data_folder) {
  DataUse use(Open(data_folder));
  if (use.fd_ >= 0) Lock(use.fd_, LOCK_SH, data_folder);
  return use;
}

std::optional<DataUse> DataUse::TryAlone(const std::string& data_folder) {
  DataUse use(Open(data_folder));
  if (use.fd_ >= 0 && !Lock(use.fd_, LOCK_EX | LOCK_NB, data_folder)) return std::nullopt;
  return use;
}

DataUse::~DataUse() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace atelier::store
