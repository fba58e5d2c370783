// Bytes as a file without a disk, for tests and fuzz targets that open thousands of them.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/str.h"

namespace atelier::artefact {

class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(::memfd_create("memory_file", MFD_CLOEXEC)) {
    if (fd_ < 0) throw Error(Code::kIo, "no memory file");
    for (size_t at = 0; at < bytes.size();) {
      const ssize_t n = ::write(fd_, bytes.data() + at, bytes.size() - at);
      if (n <= 0) {
        ::close(fd_);
        throw Error(Code::kIo, "writing a memory file");
      }
      at += static_cast<size_t>(n);
    }
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  // Valid as long as the object; what was opened by it lives on.
  std::string path() const { return Cat("/proc/self/fd/", fd_); }

 private:
  int fd_;
};

}  // namespace atelier::artefact
