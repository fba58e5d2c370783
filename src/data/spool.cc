#include "data/spool.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/str.h"

namespace atelier::data {
namespace {

[[noreturn]] void Fail(std::string_view doing, const std::string& folder) {
  const int why = errno;
  if (why == ENOSPC || why == EDQUOT) {
    throw Error(Code::kResourceExhausted, Cat(folder, ": the disk is full"),
                "temporary files need about as much room as the dataset's text; nothing was changed");
  }
  throw Error(Code::kIo, Cat(folder, ": ", doing, " a temporary file: ", std::strerror(why)));
}

}  // namespace

TemporaryFile::~TemporaryFile() {
  if (fd_ >= 0) ::close(fd_);
}

void TemporaryFile::Append(const void* bytes, size_t count) {
  if (fd_ < 0) {
    fd_ = ::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    if (fd_ < 0) {  // a file system that cannot make nameless files
      std::string name = folder_ + "/.spill-XXXXXX";
      fd_ = ::mkostemp(name.data(), O_CLOEXEC);
      if (fd_ < 0) Fail("making", folder_);
      ::unlink(name.c_str());
    }
  }
  const char* at = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t n = ::pwrite(fd_, at, count, static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) Fail("writing", folder_);
    at += n;
    size_ += static_cast<uint64_t>(n);
    count -= static_cast<size_t>(n);
  }
}

void TemporaryFile::Read(uint64_t offset, void* bytes, size_t count) const {
  char* at = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t n = ::pread(fd_, at, count, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = EIO;
    if (n <= 0) Fail("reading", folder_);
    at += n;
    offset += static_cast<uint64_t>(n);
    count -= static_cast<size_t>(n);
  }
}

Spool::Spool(size_t memory, std::string folder)
    : file_(std::move(folder)), capacity_(std::max<size_t>(memory, 1u << 16)) {
  // Addresses only: pages come when they are written, so a small dataset costs little.
  void* map = ::mmap(nullptr, capacity_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) {
    throw Error(Code::kResourceExhausted, Cat("no ", FormatBytes(capacity_), " of memory"),
                "ask for less with --memory");
  }
  ::madvise(map, capacity_, MADV_HUGEPAGE);  // fewer faults; where it is not allowed, nothing is lost
  memory_ = static_cast<char*>(map);
}

Spool::~Spool() { ::munmap(memory_, capacity_); }

void Spool::Spill() {
  file_.Append(memory_, used_);
  used_ = 0;
}

uint64_t Spool::Append(const void* bytes, size_t count) {
  if (count > capacity_ - used_) Spill();
  const uint64_t offset = size();
  if (count > capacity_) {
    file_.Append(bytes, count);
  } else if (count > 0) {
    std::memcpy(memory_ + used_, bytes, count);
    used_ += count;
  }
  return offset;
}

std::string_view Spool::View(uint64_t offset, size_t count, std::string* scratch) const {
  if (offset >= file_.size()) return {memory_ + (offset - file_.size()), count};
  scratch->resize(count);
  file_.Read(offset, scratch->data(), count);  // an append lies wholly in the file or wholly in memory
  return *scratch;
}

}  // namespace atelier::data
