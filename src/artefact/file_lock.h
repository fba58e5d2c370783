// A lock between processes, held on a file of its own: two pulls of one model do not step on each other.
#pragma once

#include <functional>
#include <string>

namespace atelier::artefact {

class FileLock {
 public:
  // Waits until the lock is free; calls `on_wait` once if it is not free at once. The file stays; it is empty.
  explicit FileLock(const std::string& path, const std::function<void()>& on_wait = nullptr);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace atelier::artefact
