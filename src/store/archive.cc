#include "store/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::store {
namespace {

constexpr size_t kPiece = size_t{1} << 20;

struct Fd {
  int fd = -1;
  ~Fd() {
    if (fd >= 0) ::close(fd);
  }
};

[[noreturn]] void FailIo(const std::string& path, int error) {
  if (error == ENOSPC || error == EDQUOT)
    throw Error(Code::kResourceExhausted, Cat(path, ": the disk is full"), "free some space and try again");
  throw Error(Code::kIo, Cat(path, ": ", std::strerror(error)));
}

bool IsSafe(std::string_view name) {
  if (name.empty() || name.size() > 4096 || name.front() == '/' || name.find('\0') != std::string_view::npos ||
      name.find('\\') != std::string_view::npos)
    return false;
  for (const std::string& part : Split(std::string(name), '/')) {
    if (part.empty() || part == "." || part == ".." || part.size() > 255) return false;
  }
  return true;
}

}  // namespace

struct ArchiveWriter::State {
  std::string path, temporary;
  Fd file;
  archive* out = nullptr;

  ~State() {
    if (out != nullptr) archive_write_free(out);
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }
  void Check(int status) {
    if (status >= ARCHIVE_WARN) return;
    const int error = archive_errno(out);
    if (error > 0) FailIo(path, error);
    throw Error(Code::kIo, Cat(path, ": ", archive_error_string(out)));
  }
  void Head(const std::string& name, uint64_t size) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname_utf8(entry, name.c_str());
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<int64_t>(size));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_mtime(entry, 0, 0);
    const int status = archive_write_header(out, entry);
    archive_entry_free(entry);
    Check(status);
  }
  void Data(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto written = archive_write_data(out, bytes.data(), bytes.size());
      if (written <= 0) Check(ARCHIVE_FATAL);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }
};

ArchiveWriter::ArchiveWriter(std::string path) : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  std::string temporary = Cat(state_->path, ".tmp.XXXXXX");
  state_->file.fd = ::mkstemp(temporary.data());  // 0600
  if (state_->file.fd < 0) FailIo(state_->path, errno);
  state_->temporary = std::move(temporary);
  state_->out = archive_write_new();
  if (state_->out == nullptr) throw std::bad_alloc();
  state_->Check(archive_write_set_format_pax_restricted(state_->out));
  state_->Check(archive_write_add_filter_zstd(state_->out));
  state_->Check(archive_write_set_options(state_->out, "zstd:compression-level=3"));
  state_->Check(archive_write_open_fd(state_->out, state_->file.fd));
}

ArchiveWriter::~ArchiveWriter() = default;

void ArchiveWriter::AddBytes(const std::string& name, std::string_view bytes) {
  state_->Head(name, bytes.size());
  state_->Data(bytes);
}

void ArchiveWriter::AddFile(const std::string& name, const std::string& from, const PieceFn& seen) {
  Fd in{::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  struct stat status = {};
  if (in.fd < 0 || ::fstat(in.fd, &status) != 0) {
    if (errno == ENOENT) throw Error(Code::kUnavailable, Cat(from, ": went while it was to be saved"), "try again");
    FailIo(from, errno);
  }
  uint64_t left = static_cast<uint64_t>(status.st_size);
  state_->Head(name, left);
  std::vector<char> buffer(kPiece);
  while (left > 0) {
    const ssize_t got = ::read(in.fd, buffer.data(), std::min<uint64_t>(buffer.size(), left));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) FailIo(from, errno);
    if (got == 0) throw Error(Code::kUnavailable, Cat(from, ": became shorter while it was saved"), "try again");
    const std::string_view piece(buffer.data(), static_cast<size_t>(got));
    state_->Data(piece);
    seen(piece);
    left -= piece.size();
  }
}

void ArchiveWriter::Commit() {
  state_->Check(archive_write_close(state_->out));
  if (::fsync(state_->file.fd) != 0) FailIo(state_->path, errno);
  Rename(state_->temporary, state_->path);
  state_->temporary.clear();
}

struct ArchiveReader::State {
  std::string path, name;
  archive* in = nullptr;
  bool open = false;  // the file's bytes have not been read yet

  ~State() {
    if (in != nullptr) archive_read_free(in);
  }
  [[noreturn]] void Corrupt(const std::string& why) const {
    throw Error(Code::kCorrupt, Cat(path, ": ", why), "it was cut or changed since it was written; use another copy");
  }
  void Check(int status) const {
    if (status >= ARCHIVE_OK) return;
    const char* why = archive_error_string(in);
    Corrupt(Cat("cannot be read as a backup: ", why != nullptr ? why : "no archive"));
  }
};

ArchiveReader::ArchiveReader(const std::string& path) : state_(std::make_unique<State>()) {
  if (!FileExists(path)) throw Error(Code::kNotFound, Cat(path, ": there is no such file"));
  state_->path = path;
  state_->in = archive_read_new();
  if (state_->in == nullptr) throw std::bad_alloc();
  // These two alone: each format more is a parser more that strangers' bytes reach.
  archive_read_support_filter_zstd(state_->in);
  archive_read_support_format_tar(state_->in);
  state_->Check(archive_read_open_filename(state_->in, path.c_str(), kPiece));
}

ArchiveReader::~ArchiveReader() = default;

bool ArchiveReader::Next() {
  while (true) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(state_->in, &entry);
    if (status == ARCHIVE_EOF) return false;
    state_->Check(status);
    const char* name = archive_entry_pathname_utf8(entry);
    if (name == nullptr) name = archive_entry_pathname(entry);
    if (name == nullptr) state_->Corrupt("holds a file without a name");
    state_->name = name;
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    if (!IsSafe(state_->name)) state_->Corrupt(Cat("holds the name ", Quote(state_->name), ", which no backup has"));
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
      state_->Corrupt(Cat(Quote(state_->name), " in it is no plain file"));
    state_->open = true;
    return true;
  }
}

const std::string& ArchiveReader::name() const { return state_->name; }

void ArchiveReader::Read(const PieceFn& piece) {
  if (!std::exchange(state_->open, false)) return;
  std::vector<char> buffer(kPiece);
  while (true) {
    const auto got = archive_read_data(state_->in, buffer.data(), buffer.size());
    if (got < 0) state_->Check(static_cast<int>(got));
    if (got <= 0) return;
    piece({buffer.data(), static_cast<size_t>(got)});
  }
}

std::string ArchiveReader::ReadAll(uint64_t most) {
  std::string out;
  Read([&](std::string_view piece) {
    if (out.size() + piece.size() > most) state_->Corrupt(Cat(Quote(state_->name), " in it is too large"));
    out += piece;
  });
  return out;
}

uint64_t ArchiveReader::position() const { return static_cast<uint64_t>(archive_filter_bytes(state_->in, -1)); }

}  // namespace atelier::store
