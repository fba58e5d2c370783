// Room for what does not fit in memory: temporary files without a name, which vanish with the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace atelier::data {

// A file that has no name: nothing to sweep, whatever kills the process. Throws kIo, or kResourceExhausted on a full
// disk. Reads may come from several threads at a time.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string folder) : folder_(std::move(folder)) {}  // made at the first Append
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void Append(const void* bytes, size_t count);
  void Read(uint64_t offset, void* bytes, size_t count) const;
  uint64_t size() const { return size_; }

 private:
  std::string folder_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

// Bytes that are appended and read again by their offset. The first `memory` bytes never touch the disk.
class Spool {
 public:
  Spool(size_t memory, std::string folder);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  uint64_t Append(const void* bytes, size_t count);  // the offset at which they lie
  uint64_t Append(std::string_view bytes) { return Append(bytes.data(), bytes.size()); }
  // The bytes themselves while they are in memory (valid until the next Append), else read into `scratch`.
  std::string_view View(uint64_t offset, size_t count, std::string* scratch) const;

  uint64_t size() const { return file_.size() + used_; }
  bool spilled() const { return file_.size() > 0; }

 private:
  void Spill();

  TemporaryFile file_;  // bytes [0, file_.size()) of the spool; memory holds the rest
  char* memory_ = nullptr;
  size_t capacity_, used_ = 0;
};

}  // namespace atelier::data
