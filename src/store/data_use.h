// Who is at work on a studio's datasets, so that objects which a version is about to refer to are not collected as
// nobody's: whoever reads or writes a version, or copies the studio, holds its `data` folder shared; the one who
// collects holds it alone. The kernel lets go for a process that dies.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace atelier::store {

class DataUse {
 public:
  // Waits while somebody collects, which takes moments.
  static DataUse Share(const std::string& data_folder);
  // Nothing while anybody shares it.
  static std::optional<DataUse> TryAlone(const std::string& data_folder);

  DataUse(DataUse&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DataUse& operator=(DataUse&&) = delete;
  ~DataUse();

 private:
  explicit DataUse(int fd) : fd_(fd) {}
  int fd_;  // -1: there is no folder, and nothing to hold
};

}  // namespace atelier::store
