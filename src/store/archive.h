// One file that holds many: a tar archive (POSIX pax) compressed with zstd, as `tar --zstd -tf` shows it. libarchive
// does the formats. What comes from an archive is not trusted: plain files with relative names and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/hash.h"

namespace atelier::store {

// Bytes in pieces, in order.
using PieceFn = std::function<void(std::string_view piece)>;

// Writes beside `path` and renames at the end; only its owner may read it. Destroyed without Commit, it leaves nothing.
class ArchiveWriter {
 public:
  explicit ArchiveWriter(std::string path);
  ~ArchiveWriter();
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  void AddBytes(const std::string& name, std::string_view bytes);
  // Streams a file from the disk; `seen` sees what is stored. Throws kUnavailable where it becomes shorter meanwhile;
  // what is appended meanwhile is left out.
  void AddFile(const std::string& name, const std::string& from, const PieceFn& seen);
  void Commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Throws kCorrupt for what is no such archive, is damaged or cut, or holds a link, a device, or a name that is absolute
// or leads upwards; kNotFound.
class ArchiveReader {
 public:
  explicit ArchiveReader(const std::string& path);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  // The next file, past folders. False at the end.
  bool Next();
  const std::string& name() const;
  // Of the file that Next found, once. As many bytes as the archive says, however many that are: the caller bounds.
  void Read(const PieceFn& piece);
  // The same as one text; kCorrupt where it has more than `most`.
  std::string ReadAll(uint64_t most);
  uint64_t position() const;  // bytes of the archive read so far, for progress

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace atelier::store
