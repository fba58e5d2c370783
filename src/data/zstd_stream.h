// Lines through zstd: a reader that trusts nothing, and a writer whose compression can run in a thread of its own.
#pragma once

#include <xxhash.h>
#include <zstd.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace atelier::data {

std::string HexOf(XXH128_hash_t hash);  // 32 digits, the high half first

// XXH3-128 of bytes that come in pieces.
class TextHash {
 public:
  TextHash() : state_(XXH3_createState(), &XXH3_freeState) { Reset(); }
  void Reset() { XXH3_128bits_reset(state_.get()); }
  void Update(std::string_view bytes) { XXH3_128bits_update(state_.get(), bytes.data(), bytes.size()); }
  std::string Hex() const { return HexOf(XXH3_128bits_digest(state_.get())); }

 private:
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state_;
};

inline constexpr size_t kMostLineBytes = 64u << 20;  // of one record
inline constexpr size_t kReadPadding = 64;           // readable bytes behind every block

// Blocks of whole lines of a compressed file. Throws kCorrupt that names the file for bytes that are not zstd, more
// than `most_bytes` of text, a window over 8 MiB, a line over kMostLineBytes, a last line without '\n', a cut file.
class ZstdLines {
 public:
  ZstdLines(const std::string& path, uint64_t most_bytes);
  ~ZstdLines();
  ZstdLines(const ZstdLines&) = delete;
  ZstdLines& operator=(const ZstdLines&) = delete;
  // False at the end. The bytes are valid until the next call.
  bool Next(std::string_view* lines);

 private:
  [[noreturn]] void Corrupt(std::string_view why) const;

  std::string path_;
  uint64_t left_;
  int fd_ = -1;
  ZSTD_DCtx* context_;
  std::vector<char> in_, out_;
  size_t in_at_ = 0, in_size_ = 0;
  size_t begin_ = 0, end_ = 0;  // of out_: what was not handed out yet
  bool file_done_ = false, frame_open_ = false;
};

// Texts as zstd frames, each with its checksum.
//
// Level 0 is zstd's 1 with a longer step between the places that it looks at, and with literals compressed as level 1
// does: a quarter less time for files a tenth larger (mixed zh/en records). Levels from 1 on are zstd's.
class FrameCompressor {
 public:
  explicit FrameCompressor(int level);
  ~FrameCompressor() { ZSTD_freeCCtx(context_); }
  FrameCompressor(const FrameCompressor&) = delete;
  FrameCompressor& operator=(const FrameCompressor&) = delete;
  std::string_view Compress(std::string_view text);  // valid until the next call

  static constexpr size_t kFrame = size_t{2} << 20;  // of text: more in one frame gains nothing

 private:
  ZSTD_CCtx* context_;
  std::vector<char> out_;
};

// A file of zstd frames of some 2 MiB of text, each with zstd's own checksum: a frame that is compressed at once costs
// a tenth less than one that is fed. Finish() syncs the file; without, it is incomplete.
class ZstdWriter {
 public:
  // background: compress and write in a thread of its own; what that throws comes out of a later call.
  ZstdWriter(std::string path, int level, bool background);
  ~ZstdWriter();
  ZstdWriter(const ZstdWriter&) = delete;
  ZstdWriter& operator=(const ZstdWriter&) = delete;
  void Write(std::string_view bytes);
  void Finish();
  uint64_t compressed_bytes() const { return compressed_.load(); }

 private:
  void Hand();  // `pending_` to whoever compresses
  void Compress(const std::string& text);
  void Loop();
  void Stop();

  std::string path_;
  int fd_ = -1;
  FrameCompressor frames_;
  std::string pending_;
  bool handed_ = false;
  std::atomic<uint64_t> compressed_{0};

  std::mutex mutex_;
  std::condition_variable turn_;
  std::string at_work_;  // the thread's, while busy_
  bool busy_ = false, stopping_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace atelier::data
