// A file that grows by whole records, held by one process.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace atelier::track {

// Every Append is one write, so that whoever reads along sees a record as soon as it is there. What could not be
// written whole is cut off again, so that a full disk leaves whole records. The file is locked (flock) as long as the
// object lives. One thread at a time.
class AppendFile {
 public:
  // A new file that begins with `first`: it appears with it or not at all. Throws kConflict when it is there already.
  static AppendFile Create(const std::string& path, std::string_view first);
  // The file `path`, made anew from what `write` appends, atomically: until then readers see the old bytes, and a
  // process that dies leaves them. Throws kConflict when another process holds the file, kNotFound when it is absent.
  static AppendFile Rewrite(const std::string& path, const std::function<void(AppendFile* anew)>& write);

  AppendFile(AppendFile&& other) noexcept;
  ~AppendFile();
  AppendFile& operator=(AppendFile&&) = delete;

  // Throws kResourceExhausted where there is no room (also a limit on the size of files), kIo; the file then ends with
  // the record before, and further calls try again.
  void Append(std::string_view record);
  const std::string& path() const { return path_; }

 private:
  AppendFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  static AppendFile Temporary(const std::string& path);
  void Sync();

  std::string path_;
  int fd_;
  uint64_t size_ = 0;  // up to which the file holds whole records
};

}  // namespace atelier::track
