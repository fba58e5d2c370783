#include "data/text_corpus.h"

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::data {
namespace {

bool IsJsonLines(const std::string& path) {
  const std::string lower = ToLowerAscii(path);
  return lower.ends_with(".jsonl") || lower.ends_with(".ndjson");
}

// A file's bytes, some at a time.
class FileBytes {
 public:
  explicit FileBytes(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw Error(Code::kIo, Cat(path, ": ", std::strerror(errno)));
  }
  ~FileBytes() { ::close(fd_); }
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  // Appends some bytes; false at the end.
  bool Read(std::string* out) {
    const size_t size = out->size();
    out->resize(size + kAtOnce);
    ssize_t got;
    do {
      got = ::read(fd_, out->data() + size, kAtOnce);
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw Error(Code::kIo, Cat(path_, ": ", std::strerror(errno)));
    out->resize(size + static_cast<size_t>(got));
    return got > 0;
  }

 private:
  static constexpr size_t kAtOnce = size_t{1} << 20;
  std::string path_;
  int fd_;
};

}  // namespace

// Lines of one input.
struct TextCorpus::Source {
  std::string name;
  bool json = false;
  uint64_t line = 0;  // the number of the last one
  std::string buffer;
  size_t at = 0;  // in the buffer, where the next line begins
  std::unique_ptr<FileBytes> file;
  std::unique_ptr<DatasetReader> dataset;
  size_t shard = 0;
  simdjson::dom::parser parser;

  bool Fill() {
    buffer.erase(0, at);
    at = 0;
    if (file) return file->Read(&buffer);
    if (shard == dataset->shards()) return false;
    dataset->Read(shard++, [&](std::string_view lines) {
      buffer += lines;
      return true;
    });
    return true;
  }

  // The next line with its LF, if it has one; "" at the end.
  std::string_view Line(uint64_t most) {
    size_t searched = at;
    for (;;) {
      const size_t end = buffer.find('\n', searched);
      const size_t size = (end == std::string::npos ? buffer.size() : end + 1) - at;
      if (file && size > most) {
        throw Error(Code::kInvalidInput, Cat(name, ":", line + 1, ": a line of more than ", FormatBytes(most)),
                    "cut it into lines or paragraphs");
      }
      if (end == std::string::npos) {
        const size_t before = buffer.size() - at;
        if (Fill()) {
          searched = before;  // `at` is 0 now
          continue;
        }
      }
      const std::string_view found = std::string_view(buffer).substr(at, size);
      at += found.size();
      line += !found.empty();
      return found;
    }
  }

  [[noreturn]] void Fail(const std::string& why, const std::string& hint) const {
    throw Error(Code::kInvalidInput, Cat(name, dataset ? ": record " : ":", line, ": ", why), hint);
  }

  void TakePlain(std::string_view found, std::string* text) const {
    if (line == 1 && found.starts_with("\xEF\xBB\xBF")) found.remove_prefix(3);
    if (std::memchr(found.data(), 0, found.size()) != nullptr) {
      Fail("holds a NUL character", "is it a text file in UTF-8? `atelier data import` reads other encodings");
    }
    if (!simdjson::validate_utf8(found.data(), found.size())) {
      Fail("is not UTF-8", "`atelier data import` reads other encodings");
    }
    text->assign(found);
  }

  void TakeField(std::string_view found, const std::string& field, std::string* text) {
    namespace dom = simdjson::dom;
    dom::object object;
    const simdjson::error_code error = parser.parse(found.data(), found.size()).get_object().get(object);
    if (error == simdjson::UTF8_ERROR) Fail("is not UTF-8", "`atelier data import` reads other encodings");
    if (error != simdjson::SUCCESS) Fail("is no JSON object", "JSON lines have one object per line");
    dom::element value;
    if (object.at_key(field).get(value) != simdjson::SUCCESS) {
      Fail(Cat("has no field ", Quote(field)), "--text-field names another field");
    }
    std::string_view plain;
    if (value.is_null()) {
      text->clear();
      return;
    }
    if (value.get_string().get(plain) != simdjson::SUCCESS)
      Fail(Cat(Quote(field), " is no text"), "--text-field names another field");
    if (!simdjson::validate_utf8(plain.data(), plain.size()))
      Fail(Cat(Quote(field), " holds half a surrogate pair"), "");
    if (std::memchr(plain.data(), 0, plain.size()) != nullptr)
      Fail(Cat(Quote(field), " holds a NUL character"), "take it out");
    text->assign(plain);
  }
};

TextCorpus::TextCorpus(std::vector<std::string> inputs, TextCorpusOptions options, std::optional<Datasets> datasets)
    : inputs_(std::move(inputs)), options_(std::move(options)), datasets_(std::move(datasets)) {
  if (inputs_.empty()) throw Error(Code::kUsage, "no input", "name files or datasets");
  std::vector<std::string> names;
  if (datasets_) names = datasets_->Names();
  for (const std::string& input : inputs_) {
    if (FileExists(input)) {
      bytes_total_ += FileSize(input);
      continue;
    }
    if (FolderExists(input)) throw Error(Code::kInvalidInput, Cat(input, " is a folder"), "name files: FOLDER/*.txt");
    const std::string name = input.substr(0, input.find('@'));
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Error(Code::kNotFound, Cat("there is no file and no dataset ", Quote(input)),
                  datasets_ ? "`atelier data list` shows the datasets that are here"
                            : "datasets are those of a studio: --studio");
    }
    bytes_total_ += datasets_->Load(input).bytes;
  }
}

TextCorpus::~TextCorpus() = default;

bool TextCorpus::OpenNext() {
  if (next_ == inputs_.size()) return false;
  const std::string& input = inputs_[next_++];
  source_ = std::make_unique<Source>();
  source_->name = input;
  if (FileExists(input)) {
    source_->json = IsJsonLines(input);
    source_->file = std::make_unique<FileBytes>(input);
  } else {
    source_->json = true;
    source_->dataset = std::make_unique<DatasetReader>(*datasets_, input);
  }
  return true;
}

bool TextCorpus::Next(std::string* text) {
  for (;;) {
    if (!source_ && !OpenNext()) return false;
    std::string_view line = source_->Line(options_.most_line_bytes);
    if (line.empty()) {
      source_.reset();
      continue;
    }
    bytes_read_ += line.size();
    if (!source_->json) {
      for (const char end : {'\n', '\r'}) {
        if (!options_.line_ends && line.ends_with(end)) line.remove_suffix(1);
      }
      source_->TakePlain(line, text);
      return true;
    }
    line = Trim(line);
    if (line.empty()) continue;
    source_->TakeField(line, options_.text_field, text);
    if (!text->empty()) return true;
  }
}

}  // namespace atelier::data
