// Who answers people goes first: a lock of this user's programs on this machine. Servers hold it together while they
// work on requests; training asks whether anyone does, and stands still meanwhile. It is the kernel's lock on a file of
// Atelier's home, so that it is free again when its holder dies, however.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace atelier::store {

class Foreground {
 public:
  // The file is made where it is missing. Where that cannot be, nobody is ever in the foreground.
  explicit Foreground(const std::string& path);
  ~Foreground();
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;

  // Held until the result and all its copies are gone; from any thread. This object outlives them.
  std::shared_ptr<void> Hold();
  // Whether another holds it.
  bool Taken() const;

 private:
  void Leave();

  std::mutex mutex_;
  int fd_ = -1;
  int64_t held_ = 0;
};

// The one in AtelierHome(), which is made; "" where that cannot be.
std::string ForegroundPath();

}  // namespace atelier::store
