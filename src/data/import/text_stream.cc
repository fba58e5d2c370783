#include "data/import/text_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "data/zstd_stream.h"

namespace atelier::data {
namespace {

constexpr size_t kReadAtOnce = 1u << 20;
constexpr size_t kPieces = 4;
constexpr size_t kProbe = 1u << 20;  // what the detection looks at, from the first byte that is not ASCII

bool PlainAscii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);  // the compiler makes vectors of it
  return all < 0x80 && (text.empty() || std::memchr(text.data(), 0, text.size()) == nullptr);
}

// A stray byte or two in much ASCII.
bool MostlyAscii(std::string_view text) {
  const auto wide = static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }));
  return wide * 1000 <= text.size();
}

}  // namespace

// A ring of pieces between the reading thread and Next().
struct ByteStream::State {
  std::string path;
  int fd = -1;
  std::vector<char> ring[kPieces];
  size_t sizes[kPieces] = {};
  size_t written = 0, taken = 0;  // pieces so far; Next holds piece taken - 1
  bool holding = false, ended = false, stop = false;
  std::exception_ptr failure;
  Sha256 hash;
  uint64_t bytes = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::thread thread;

  void Run() {
    try {
      while (true) {
        size_t slot = 0;
        {
          std::unique_lock lock(mutex);
          changed.wait(lock, [&] { return stop || written - taken + (holding ? 1 : 0) < kPieces; });
          if (stop) return;
          slot = written % kPieces;
        }
        size_t size = 0;
        while (size < kReadAtOnce) {
          const ssize_t n = ::read(fd, ring[slot].data() + size, kReadAtOnce - size);
          if (n < 0) {
            if (errno == EINTR) continue;
            const int why = errno;
            throw Error(why == EISDIR ? Code::kInvalidInput : Code::kIo, Cat(path, ": reading: ", std::strerror(why)));
          }
          if (n == 0) break;
          size += static_cast<size_t>(n);
        }
        hash.Update({ring[slot].data(), size});
        const std::lock_guard lock(mutex);
        sizes[slot] = size;
        ++written;
        if (size < kReadAtOnce) ended = true;
        changed.notify_all();
        if (ended) return;
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      ended = true;
      changed.notify_all();
    }
  }
};

ByteStream::ByteStream(const std::string& path) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.path = path == "-" ? "standard input" : path;
  s.fd = path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (s.fd < 0) {
    throw Error(errno == ENOENT   ? Code::kNotFound
                : errno == EACCES ? Code::kPermissionDenied
                                  : Code::kIo,
                Cat(path, ": ", std::strerror(errno)));
  }
  for (auto& piece : s.ring) piece.resize(kReadAtOnce);
  s.thread = std::thread([this] { state_->Run(); });
}

ByteStream::~ByteStream() {
  State& s = *state_;
  {
    const std::lock_guard lock(s.mutex);
    s.stop = true;
    s.changed.notify_all();
  }
  s.thread.join();
  ::close(s.fd);
}

std::string_view ByteStream::Next() {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  s.holding = false;
  s.changed.notify_all();
  s.changed.wait(lock, [&] { return s.taken < s.written || s.ended; });
  if (s.taken == s.written) {
    if (s.failure) std::rethrow_exception(s.failure);
    return {};
  }
  const size_t slot = s.taken++ % kPieces;
  s.holding = true;
  s.bytes += s.sizes[slot];
  return {s.ring[slot].data(), s.sizes[slot]};
}

uint64_t ByteStream::bytes() const { return state_->bytes; }
std::string ByteStream::HashHex() { return state_->hash.Hex(); }

TextStream::TextStream(const ReaderInput& input, ImportSink& sink) : input_(input), sink_(sink), bytes_(input.path) {
  if (!input.request.encoding.empty()) {
    const auto named = EncodingByName(input.request.encoding);
    if (!named) {
      throw Error(Code::kUsage, Cat("the encoding ", Quote(input.request.encoding), " is not read here"),
                  "UTF-8, UTF-16LE, UTF-16BE, GB18030 and Big5 are");
    }
    encoding_ = *named;
    decoder_ = std::make_unique<TextDecoder>(encoding_);
  }
}
TextStream::~TextStream() = default;

// head_ begins with the first piece that is not plain ASCII.
void TextStream::Detect() {
  size_t first = 0;
  while (first < head_.size() && static_cast<unsigned char>(head_[first]) < 0x80 && head_[first] != '\0') ++first;
  while (!head_whole_ && head_.size() < first + kProbe) {
    const std::string_view piece = bytes_.Next();
    sink_.Progress(piece.size());
    head_whole_ = piece.empty();
    head_.append(piece);
  }
  // From the line of that byte on; UTF-16 and marks need the very beginning.
  size_t from = first < 4096 ? 0 : head_.rfind('\n', first);
  if (from == std::string::npos) from = first;
  const std::string_view all = head_;
  const std::string_view probe = all.substr(from, kProbe);
  const auto found = DetectEncoding(probe, head_whole_ && from + probe.size() == all.size());
  if (!found && (input_.lines_are_utf8 || MostlyAscii(probe))) {
    encoding_ = Encoding::kUtf8;  // what is broken is rejected line by line
  } else if (!found) {
    const size_t bad = FirstInvalidUtf8(all);
    const auto line = 1 + ascii_lines_ + std::count(all.begin(), all.begin() + static_cast<ptrdiff_t>(bad), '\n');
    throw Error(Code::kInvalidInput,
                Cat(input_.path, ":", line, ": bytes that are neither UTF-8 nor UTF-16, GB18030 or Big5"),
                "say which encoding with --encoding, or save the file as UTF-8");
  }
  if (found) encoding_ = *found;
  decoder_ = std::make_unique<TextDecoder>(encoding_, !begun_);
}

bool TextStream::Fill(std::string* text) {
  if (done_) return false;
  const size_t before = text->size();
  if (decoder_ == nullptr) {
    // ASCII is the same in all encodings but UTF-16: it is handed on, and says nothing about what comes behind it.
    const std::string_view piece = bytes_.Next();
    sink_.Progress(piece.size());
    if (PlainAscii(piece) && !piece.empty()) {
      begun_ = true;
      ascii_lines_ += std::count(piece.begin(), piece.end(), '\n');
      text->append(piece);
      text->reserve(text->size() + kReadPadding);
      return true;
    }
    head_.assign(piece);
    head_whole_ = piece.empty();
    Detect();
  }
  if (!head_.empty()) {
    decoder_->Decode(head_, head_whole_, text);
    head_.clear();
    head_.shrink_to_fit();
  }
  while (text->size() == before && !done_) {
    const std::string_view piece = head_whole_ ? std::string_view() : bytes_.Next();
    sink_.Progress(piece.size());
    if (!head_whole_) decoder_->Decode(piece, piece.empty(), text);
    if (piece.empty()) {
      done_ = true;
      SourceInfo& source = sink_.source();
      source.bytes = bytes_.bytes();
      source.sha256 = bytes_.HashHex();
      source.encoding = std::string(Name(encoding_));
    }
  }
  text->reserve(text->size() + kReadPadding);
  return text->size() > before;
}

}  // namespace atelier::data
