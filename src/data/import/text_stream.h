// A file or standard input as UTF-8 in pieces: read once, hashed, counted, decoded. Memory: a few MiB.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "data/import/import.h"

namespace atelier::data {

// Bytes of a file or, for "-", of standard input. Reads ahead and hashes in a thread of its own.
class ByteStream {
 public:
  explicit ByteStream(const std::string& path);
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  // The next piece, valid until the next call; empty at the end.
  std::string_view Next();
  uint64_t bytes() const;
  std::string HashHex();  // of all that was read. REQUIRES: Next gave the end

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Text from a ByteStream. The encoding is the request's, or what the first bytes that are not ASCII say.
class TextStream {
 public:
  TextStream(const ReaderInput& input, ImportSink& sink);
  ~TextStream();
  // Appends more text; false at the end, when the sink's source knows its bytes, hash and encoding. kReadPadding bytes
  // behind the text stay readable.
  bool Fill(std::string* text);

 private:
  void Detect();

  const ReaderInput& input_;
  ImportSink& sink_;
  ByteStream bytes_;
  std::string head_;  // read for the detection, not decoded yet
  std::unique_ptr<TextDecoder> decoder_;
  Encoding encoding_ = Encoding::kUtf8;
  bool head_whole_ = false, begun_ = false, done_ = false;
  int64_t ascii_lines_ = 0;  // that were handed on
};

}  // namespace atelier::data
