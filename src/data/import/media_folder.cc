#include "data/import/media_folder.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::data {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kMostFile = 1u << 30;

}  // namespace

void ReadMediaFolder(const ReaderInput& input, ImportSink& sink, const std::vector<std::string>& extensions,
                     const DescribeFn& describe) {
  std::vector<std::string> files;
  size_t others = 0;
  std::error_code why;
  for (fs::recursive_directory_iterator it(input.path, fs::directory_options::skip_permission_denied, why), end;
       !why && it != end; it.increment(why)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with('.')) {
      if (it->is_directory(why)) it.disable_recursion_pending();
      continue;
    }
    if (!it->is_regular_file(why)) continue;
    const std::string lower = ToLowerAscii(name);
    const bool wanted = std::any_of(extensions.begin(), extensions.end(),
                                    [&](const std::string& extension) { return lower.ends_with(extension); });
    if (wanted) {
      files.push_back(it->path().string());
    } else {
      ++others;
    }
  }
  if (why) throw Error(Code::kIo, Cat(input.path, ": ", why.message()));
  std::sort(files.begin(), files.end());
  if (others > 0) sink.Note(Cat(others, " other files of ", input.path, " were passed over"));
  if (input.helpers.objects == nullptr && !input.request.by_path) {
    throw Error(Code::kInternal, "an import of files needs a place for objects");
  }
  SourceInfo& source = sink.source();
  Sha256 all;
  uint64_t number = 0;
  for (const std::string& path : files) {
    ++number;
    const std::string relative = fs::path(path).lexically_relative(input.path).string();
    std::string bytes;
    try {
      bytes = ReadFile(path, kMostFile);
    } catch (const Error& e) {
      sink.Reject(number, 0, e.what(), relative);
      continue;
    }
    const std::string hash = Sha256Hex(bytes);
    all.Update(Cat(hash, " ", relative, "\n"));
    source.bytes += bytes.size();
    sink.Progress(bytes.size());
    if (FirstInvalidUtf8(relative) != std::string_view::npos) {
      sink.Reject(number, 0, "a file name that is not UTF-8", relative);
      continue;
    }
    LineBuilder& record = sink.record();
    record.Key("file");
    record.Text(relative);
    record.Key("label");
    const size_t slash = relative.find('/');
    record.Text(slash == std::string::npos ? std::string_view() : std::string_view(relative).substr(0, slash));
    if (const std::string fault = describe(path, bytes, record); !fault.empty()) {
      sink.Reject(number, 0, fault, relative);
      continue;
    }
    record.Key("bytes");
    record.Int(static_cast<int64_t>(bytes.size()));
    record.Key("sha256");
    record.Text(hash);
    if (input.request.by_path) {
      record.Key("path");
      record.Text(fs::absolute(path).lexically_normal().string());
    } else {
      input.helpers.objects->Put(bytes);
    }
    sink.Done(number);
  }
  source.sha256 = all.Hex();
}

}  // namespace atelier::data
