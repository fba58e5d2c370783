#define ZSTD_STATIC_LINKING_ONLY  // for literals that are compressed at every level
#include "data/zstd_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::data {
namespace {

constexpr size_t kBlock = 1u << 20;

}  // namespace

std::string HexOf(XXH128_hash_t hash) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out(32, '0');
  for (int i = 0; i < 16; ++i) {
    out[static_cast<size_t>(15 - i)] = kDigits[(hash.high64 >> (4 * i)) & 15];
    out[static_cast<size_t>(31 - i)] = kDigits[(hash.low64 >> (4 * i)) & 15];
  }
  return out;
}

ZstdLines::ZstdLines(const std::string& path, uint64_t most_bytes)
    : path_(path),
      left_(most_bytes),
      context_(ZSTD_createDCtx()),
      in_(ZSTD_DStreamInSize()),
      out_(kBlock + kReadPadding) {
  ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, 23);
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) {
    const int why = errno;
    ZSTD_freeDCtx(context_);
    errno = why;
    FailErrno("opening", path);
  }
}

ZstdLines::~ZstdLines() {
  ::close(fd_);
  ZSTD_freeDCtx(context_);
}

void ZstdLines::Corrupt(std::string_view why) const {
  throw Error(Code::kCorrupt, Cat(path_, ": ", why), "restore the dataset from a backup, or make the version again");
}

bool ZstdLines::Next(std::string_view* lines) {
  // What is left of the last line moves to the front; then at least one more line is wanted.
  if (begin_ > 0) {
    std::memmove(out_.data(), out_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  size_t searched = 0;  // no '\n' before it
  while (true) {
    if (out_.size() - kReadPadding - end_ < kBlock / 2) {
      if (end_ > kMostLineBytes) Corrupt("a line without end");
      out_.resize(2 * out_.size());
    }
    if (in_at_ == in_size_ && !file_done_) {
      const ssize_t n = ::read(fd_, in_.data(), in_.size());
      if (n < 0) {
        if (errno == EINTR) continue;
        FailErrno("reading", path_);
      }
      in_at_ = 0;
      in_size_ = static_cast<size_t>(n);
      file_done_ = n == 0;
    }
    ZSTD_inBuffer in{in_.data(), in_size_, in_at_};
    ZSTD_outBuffer out{out_.data(), out_.size() - kReadPadding, end_};
    if (!file_done_ || frame_open_) {
      const size_t result = ZSTD_decompressStream(context_, &out, &in);
      if (ZSTD_isError(result)) Corrupt(Cat("not a whole zstd file: ", ZSTD_getErrorName(result)));
      frame_open_ = result != 0;
    }
    const size_t fresh = out.pos - end_;
    if (fresh > left_) Corrupt("it holds more text than the manifest says");
    left_ -= fresh;
    const bool stuck = in.pos == in_at_ && fresh == 0;
    in_at_ = in.pos;
    end_ = out.pos;
    if (file_done_ && stuck) {
      if (frame_open_) Corrupt("the file is cut off");
      if (end_ > 0 && out_[end_ - 1] != '\n') Corrupt("the last line does not end");
      if (end_ == 0) return false;
    } else if (end_ < kBlock / 2) {
      continue;
    }
    const void* last = ::memrchr(out_.data() + searched, '\n', end_ - searched);
    if (last == nullptr) {
      searched = end_;
      continue;
    }
    begin_ = static_cast<size_t>(static_cast<const char*>(last) - out_.data()) + 1;
    *lines = {out_.data(), begin_};
    return true;
  }
}

FrameCompressor::FrameCompressor(int level) : context_(ZSTD_createCCtx()) {
  ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, std::clamp(level, 1, 19));
  ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
  if (level > 0) return;
  // Without literals compressed too, a longer step would cost more than it saves; a library that refuses it keeps
  // level 1.
  if (ZSTD_isError(ZSTD_CCtx_setParameter(context_, ZSTD_c_literalCompressionMode, ZSTD_lcm_huffman))) return;
  ZSTD_CCtx_setParameter(context_, ZSTD_c_targetLength, 6);
}

std::string_view FrameCompressor::Compress(std::string_view text) {
  out_.resize(std::max(out_.size(), ZSTD_compressBound(text.size())));
  const size_t size = ZSTD_compress2(context_, out_.data(), out_.size(), text.data(), text.size());
  if (ZSTD_isError(size)) throw Error(Code::kInternal, Cat("zstd: ", ZSTD_getErrorName(size)));
  return {out_.data(), size};
}

ZstdWriter::ZstdWriter(std::string path, int level, bool background) : path_(std::move(path)), frames_(level) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd_ < 0) FailErrno("creating", path_);
  if (background) thread_ = std::thread([this] { Loop(); });
}

ZstdWriter::~ZstdWriter() {
  Stop();
  if (fd_ >= 0) ::close(fd_);
}

void ZstdWriter::Compress(const std::string& text) {
  const std::string_view frame = frames_.Compress(text);
  for (size_t done = 0; done < frame.size();) {
    const ssize_t n = ::write(fd_, frame.data() + done, frame.size() - done);
    if (n < 0) {
      if (errno == EINTR) continue;
      FailErrno("writing", path_);
    }
    done += static_cast<size_t>(n);
  }
  compressed_ += frame.size();
}

void ZstdWriter::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    turn_.wait(lock, [this] { return busy_ || stopping_; });
    if (!busy_) return;
    lock.unlock();
    std::exception_ptr error;
    try {
      Compress(at_work_);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error && !error_) error_ = error;
    busy_ = false;
    turn_.notify_all();
  }
}

void ZstdWriter::Hand() {
  handed_ = true;
  if (!thread_.joinable()) {
    Compress(pending_);
    pending_.clear();
    return;
  }
  std::unique_lock lock(mutex_);
  turn_.wait(lock, [this] { return !busy_; });
  if (error_) std::rethrow_exception(error_);
  at_work_.swap(pending_);
  pending_.clear();
  busy_ = true;
  turn_.notify_all();
}

void ZstdWriter::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  turn_.notify_all();
  thread_.join();
}

void ZstdWriter::Write(std::string_view bytes) {
  pending_ += bytes;
  if (pending_.size() >= FrameCompressor::kFrame) Hand();
}

void ZstdWriter::Finish() {
  if (!pending_.empty() || !handed_) Hand();  // an empty file is a frame too
  Stop();                                     // after what it still has
  if (error_) std::rethrow_exception(error_);
  if (::fsync(fd_) != 0) FailErrno("syncing", path_);
  if (::close(std::exchange(fd_, -1)) != 0) FailErrno("closing", path_);
}

}  // namespace atelier::data
