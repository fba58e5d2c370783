// Lines through zstd: a reader that trusts nothing, and a writer whose compression can run in a thread of its own.
#pragma once

#include <xxhash.h>
#include <zstd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
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

// A file of one zstd frame, with zstd's own checksum. Finish() syncs it; without, the file is incomplete.
class ZstdWriter {
 public:
  ZstdWriter(std::string path, int level, bool background);
  ~ZstdWriter();
  ZstdWriter(const ZstdWriter&) = delete;
  ZstdWriter& operator=(const ZstdWriter&) = delete;
  void Write(std::string_view bytes);
  void Finish();
  uint64_t compressed_bytes() const { return compressed_; }

 private:
  void Drive(std::string_view bytes, ZSTD_EndDirective how);

  std::string path_;
  int fd_ = -1;
  ZSTD_CCtx* context_;
  std::vector<char> out_;
  uint64_t compressed_ = 0;
};

}  // namespace atelier::data
