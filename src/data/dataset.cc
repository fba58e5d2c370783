#include "data/dataset.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/str.h"
#include "data/zstd_stream.h"
#include "text/unicode.h"

namespace atelier::data {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kMostManifestBytes = 64u << 20;
constexpr size_t kMostRejectText = 4096;

std::string VersionName(int version) {
  char name[16];
  std::snprintf(name, sizeof(name), "v%06d", version);
  return name;
}

// 0 for what is not the folder of a version.
int VersionOf(std::string_view name) {
  if (name.size() != 7 || name[0] != 'v') return 0;
  const std::optional<int64_t> number = ParseInt(name.substr(1));
  return number && *number > 0 ? static_cast<int>(*number) : 0;
}

void SyncFolder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) FailErrno("opening", path);
  const int failed = ::fsync(fd);
  ::close(fd);
  if (failed != 0 && errno != EINVAL) FailErrno("syncing", path);
}

// A folder that this process holds: its lock says to a sweeper that somebody lives here.
class HeldFolder {
 public:
  HeldFolder() = default;
  HeldFolder(HeldFolder&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~HeldFolder() {
    if (fd_ >= 0) ::close(fd_);
  }
  // False where somebody else holds it, or it is gone.
  static bool TryHold(const std::string& path, HeldFolder* out) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    HeldFolder held;
    held.fd_ = fd;
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return false;
    struct stat mine {
    }, there{};  // swept between open and lock?
    if (::fstat(fd, &mine) != 0 || ::stat(path.c_str(), &there) != 0 || mine.st_ino != there.st_ino) return false;
    std::swap(out->fd_, held.fd_);
    return true;
  }
  static HeldFolder Hold(const std::string& path) {  // waits
    HeldFolder held;
    held.fd_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (held.fd_ < 0) FailErrno("opening", path);
    while (::flock(held.fd_, LOCK_EX) != 0) {
      if (errno != EINTR) FailErrno("locking", path);
    }
    return held;
  }

 private:
  int fd_ = -1;
};

// What a dead writer or remover left. The living hold their folder's lock.
void Sweep(const std::string& folder) {
  std::error_code ignored;
  for (const std::string& name : ListFolder(folder)) {
    if (!name.starts_with(".new-") && !name.starts_with(".rm-")) continue;
    HeldFolder held;
    if (HeldFolder::TryHold(Cat(folder, "/", name), &held)) fs::remove_all(Cat(folder, "/", name), ignored);
  }
}

int LastUsed(const std::string& folder, const std::vector<int>& versions) {
  int last = versions.empty() ? 0 : versions.back();
  if (const std::string path = Cat(folder, "/.last"); FileExists(path)) {
    const std::optional<int64_t> number = ParseInt(Trim(ReadFile(path, 100)));
    if (number && *number > 0 && *number < 1'000'000) last = std::max(last, static_cast<int>(*number));
  }
  return last;
}

}  // namespace

void CheckDatasetName(std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    throw Error(Code::kUsage, Cat(Quote(name), " cannot name a dataset: ", why),
                "use letters, digits, '-', '_' and '.', at most 64 characters");
  };
  if (name.empty()) refuse("it is empty");
  if (!text::IsValidUtf8(name)) refuse("it is not UTF-8");
  const std::u32string characters = text::DecodeUtf8(name);
  if (characters.size() > 64 || name.size() > 200) refuse("it is too long");
  if (characters[0] == '.' || characters[0] == '-') refuse("it begins with '.' or '-'");
  for (const char32_t c : characters) {
    const bool good =
        c == '-' || c == '_' || c == '.' || (text::Properties(c) & (text::kLetter | text::kNumber | text::kMark)) != 0;
    if (!good) {
      std::string one;
      text::AppendUtf8(&one, c);
      refuse(Cat("it holds ", Quote(one)));
    }
  }
  if (text::Nfc(name) != name) refuse("its characters are not composed (NFC)");
}

DatasetRef ParseDatasetRef(std::string_view text) {
  DatasetRef ref;
  const size_t at = text.find('@');
  ref.name = std::string(text.substr(0, at));
  CheckDatasetName(ref.name);
  if (at != std::string_view::npos) {
    const std::optional<int64_t> version = ParseInt(text.substr(at + 1));
    if (!version || *version < 1 || *version > 999'999) {
      throw Error(Code::kUsage, Cat(Quote(text), ": the version is not a number from 1"),
                  "write NAME@3, or NAME alone");
    }
    ref.version = static_cast<int>(*version);
  }
  return ref;
}

std::vector<std::string> Datasets::Names() const {
  std::vector<std::string> out;
  if (!FolderExists(folder_)) return out;
  for (std::string& name : ListFolder(folder_)) {
    if (!name.starts_with('.') && !Versions(name).empty()) out.push_back(std::move(name));
  }
  return out;
}

std::vector<int> Datasets::Versions(const std::string& name) const {
  std::vector<int> out;
  const std::string folder = Cat(folder_, "/", name);
  if (!FolderExists(folder)) return out;
  for (const std::string& entry : ListFolder(folder)) {
    if (const int version = VersionOf(entry); version > 0) out.push_back(version);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string Datasets::Path(const DatasetRef& ref) const {
  CheckDatasetName(ref.name);
  const std::vector<int> versions = Versions(ref.name);
  if (versions.empty()) {
    const std::vector<std::string> names = Names();
    const std::string near = Nearest(ref.name, names);
    throw Error(Code::kNotFound, Cat("there is no dataset ", Quote(ref.name)),
                !near.empty()   ? Cat("did you mean '", near, "'?")
                : names.empty() ? "`atelier data import FILE --name NAME` makes one"
                                : Cat("there are: ", Join(names, ", ")));
  }
  const int version = ref.version == 0 ? versions.back() : ref.version;
  if (!std::binary_search(versions.begin(), versions.end(), version)) {
    throw Error(Code::kNotFound, Cat("the dataset ", ref.name, " has no version ", version),
                Cat("the newest is ", ref.name, "@", versions.back()));
  }
  return Cat(folder_, "/", ref.name, "/", VersionName(version));
}

Manifest Datasets::Load(const DatasetRef& ref) const {
  const std::string path = Path(ref) + "/manifest.json";
  return ParseManifest(ReadFile(path, kMostManifestBytes), path);
}

void Datasets::Remove(const DatasetRef& ref) const {
  const std::string version_path = Path(ref);
  std::error_code why;
  const std::string folder = Cat(folder_, "/", ref.name);
  // Renamed first: what is removed is gone at once, and the rest is swept should we die.
  if (ref.version == 0) {
    const std::string doomed = Cat(folder_, "/.rm-", NewUuid());
    Rename(folder, doomed);
    fs::remove_all(doomed, why);
  } else {
    const HeldFolder held = HeldFolder::Hold(folder);
    WriteFileAtomic(folder + "/.last", Cat(LastUsed(folder, Versions(ref.name)), "\n"));
    const std::string doomed = Cat(folder, "/.rm-", NewUuid());
    Rename(version_path, doomed);
    fs::remove_all(doomed, why);
  }
  Sweep(folder_);
}

DatasetReader::DatasetReader(std::string version_folder, const store::DataUse* held)
    : folder_(std::move(version_folder)),
      use_(held != nullptr ? nullptr
                           : std::make_shared<const store::DataUse>(
                                 store::DataUse::Share(fs::path(folder_).parent_path().parent_path().string()))),
      manifest_(ParseManifest(ReadFile(folder_ + "/manifest.json", kMostManifestBytes), folder_ + "/manifest.json")) {}

void DatasetReader::Read(size_t shard, const LinesFn& fn) const {
  const ShardInfo& info = manifest_.shards.at(shard);
  const std::string path = Cat(folder_, "/", info.file);
  const auto corrupt = [&](const std::string& why) {
    throw Error(Code::kCorrupt, Cat(path, ": ", why), "restore the dataset from a backup, or make the version again");
  };
  if (!FileExists(path)) corrupt("the shard is missing");
  if (FileSize(path) != info.compressed_bytes) corrupt("the shard has another size than the manifest says");
  TextHash hash;
  uint64_t records = 0, bytes = 0;
  ZstdLines lines(path, info.bytes);
  std::string_view block;
  while (lines.Next(&block)) {
    hash.Update(block);
    bytes += block.size();
    records += static_cast<uint64_t>(std::count(block.begin(), block.end(), '\n'));
    if (!fn(block)) return;
  }
  if (bytes != info.bytes || records != info.records) corrupt("the shard has fewer records than the manifest says");
  if (hash.Hex() != info.xxh3) corrupt("the stored bytes are not those that were written");
}

void DatasetReader::ReadAll(const LinesFn& fn) const {
  bool go_on = true;
  for (size_t i = 0; i < shards() && go_on; ++i) {
    Read(i, [&](std::string_view lines) { return go_on = fn(lines); });
  }
}

void DatasetReader::ReadRejects(const LinesFn& fn) const {
  const std::string path = folder_ + "/rejects.jsonl.zst";
  if (!FileExists(path)) return;
  ZstdLines lines(path, uint64_t{1} << 50);
  std::string_view block;
  while (lines.Next(&block)) {
    if (!fn(block)) return;
  }
}

struct DatasetWriter::State {
  State(const Datasets& all, std::string dataset, WriterOptions wanted)
      : datasets(all), name(std::move(dataset)), options(wanted) {
    CheckDatasetName(name);
    parent = Cat(datasets.folder(), "/", name);
    MakeFolders(datasets.folder());
    use.emplace(store::DataUse::Share(datasets.folder()));
    for (int attempt = 0;; ++attempt) {
      MakeFolders(parent);
      folder = Cat(parent, "/.new-", NewUuid());
      if (::mkdir(folder.c_str(), 0777) == 0 && HeldFolder::TryHold(folder, &held)) break;
      if (attempt == 20) FailErrno(folder, "making the folder");
    }
    Sweep(parent);
  }
  ~State() {
    part.reset();
    rejected.reset();
    std::error_code ignored;
    if (!folder.empty()) {
      fs::remove_all(folder, ignored);
      ::rmdir(parent.c_str());  // where the first import of a name failed; others' folders are not empty
    }
  }

  void EndShard() {
    part->Finish();
    ShardInfo& shard = manifest.shards.back();
    shard.compressed_bytes = part->compressed_bytes();
    shard.xxh3 = hash.Hex();
    part.reset();
  }
  void BeginShard() {
    char file[40];
    std::snprintf(file, sizeof(file), "part-%05zu.jsonl.zst", manifest.shards.size());
    part = std::make_unique<ZstdWriter>(Cat(folder, "/", file), options.level, options.background);
    manifest.shards.push_back({file, 0, 0, 0, ""});
    hash.Reset();
  }
  void Put(std::string_view lines, size_t records) {
    part->Write(lines);
    hash.Update(lines);
    manifest.shards.back().records += records;
    manifest.shards.back().bytes += lines.size();
    manifest.records += records;
    manifest.bytes += lines.size();
  }

  const Datasets datasets;
  const std::string name;
  const WriterOptions options;
  std::string parent, folder;
  std::optional<store::DataUse> use;
  HeldFolder held;
  std::unique_ptr<ZstdWriter> part, rejected;
  TextHash hash;
  Manifest manifest;  // shards, files and sums so far
};

DatasetWriter::DatasetWriter(const Datasets& datasets, std::string name, WriterOptions options)
    : state_(std::make_unique<State>(datasets, std::move(name), options)) {}
DatasetWriter::~DatasetWriter() = default;

uint64_t DatasetWriter::records() const { return state_->manifest.records; }
uint64_t DatasetWriter::rejects() const { return state_->manifest.rejects; }
uint64_t DatasetWriter::bytes() const { return state_->manifest.bytes; }

void DatasetWriter::Append(std::string_view lines, size_t records) {
  if (lines.empty() && records == 0) return;
  if (lines.empty() || lines.back() != '\n') throw Error(Code::kInternal, "a dataset takes whole lines");
  State& s = *state_;
  while (!lines.empty()) {
    if (s.part == nullptr) s.BeginShard();
    const uint64_t room = s.options.shard_bytes - std::min(s.manifest.shards.back().bytes, s.options.shard_bytes);
    if (lines.size() < room) {
      s.Put(lines, records);
      return;
    }
    // The shard ends with the line that reaches its size.
    const size_t end = lines.find('\n', room == 0 ? 0 : room - 1) + 1;
    const std::string_view first = lines.substr(0, end);
    const auto count =
        end == lines.size() ? records : static_cast<size_t>(std::count(first.begin(), first.end(), '\n'));
    if (count > records) throw Error(Code::kInternal, "a dataset's writer was told fewer records than lines");
    s.Put(first, count);
    s.EndShard();
    lines.remove_prefix(end);
    records -= count;
  }
}

void DatasetWriter::Reject(const Rejection& rejection) {
  State& s = *state_;
  if (s.rejected == nullptr) {
    s.rejected = std::make_unique<ZstdWriter>(s.folder + "/rejects.jsonl.zst", s.options.level, false);
  }
  ++s.manifest.rejects;
  std::string_view text = rejection.text.substr(0, kMostRejectText);
  Json line = {{"stage", rejection.stage},   {"source", rejection.source}, {"line", rejection.line},
               {"column", rejection.column}, {"reason", rejection.reason}, {"text", text::SanitizeUtf8(text)}};
  if (text.size() < rejection.text.size()) line["text_bytes"] = rejection.text.size();
  s.rejected->Write(ToText(line) + "\n");
}

void DatasetWriter::AddFile(const std::string& name, std::string_view bytes) {
  State& s = *state_;
  bool good = !name.empty() && name.size() <= 100 && name[0] != '.' && !name.starts_with("part-") &&
              name != "manifest.json" && name != "rejects.jsonl.zst";
  for (const char c : name)
    good = good && (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.');
  for (const FileInfo& file : s.manifest.files) good = good && file.file != name;
  if (!good) throw Error(Code::kInternal, Cat(Quote(name), " cannot be a report of a dataset"));
  WriteFileAtomic(Cat(s.folder, "/", name), bytes);
  s.manifest.files.push_back({name, bytes.size(), Sha256Hex(bytes)});
}

Manifest DatasetWriter::Commit(Manifest draft) {
  State& s = *state_;
  if (s.part != nullptr) s.EndShard();
  if (s.rejected != nullptr) {
    s.rejected->Finish();
    const std::string path = s.folder + "/rejects.jsonl.zst";
    s.manifest.files.push_back({"rejects.jsonl.zst", FileSize(path), Sha256HexOfFile(path)});
  }
  draft.name = s.name;
  draft.created_at = NowMillis();
  draft.records = s.manifest.records;
  draft.rejects = s.manifest.rejects;
  draft.bytes = s.manifest.bytes;
  draft.shards = s.manifest.shards;
  draft.files = s.manifest.files;
  draft.recipe.sha256 = Sha256Hex(draft.recipe.toml);
  draft.content_hash = ContentHash(draft.shards);
  const HeldFolder held = HeldFolder::Hold(s.parent);  // one at a time takes the next number
  draft.version = LastUsed(s.parent, s.datasets.Versions(s.name)) + 1;
  if (draft.version > 999'999) throw Error(Code::kResourceExhausted, Cat(s.name, ": no version number is left"));
  WriteFileAtomic(s.folder + "/manifest.json", ToPrettyText(ToJson(draft)) + "\n");
  SyncFolder(s.folder);
  const std::string target = Cat(s.parent, "/", VersionName(draft.version));
  if (::renameat2(AT_FDCWD, s.folder.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0) {
    // Filesystems without the flag: a version is never empty, so rename cannot replace one.
    if (errno != EINVAL || ::rename(s.folder.c_str(), target.c_str()) != 0) FailErrno("renaming", target);
  }
  s.folder.clear();
  SyncFolder(s.parent);
  SyncFolder(s.datasets.folder());
  return draft;
}

}  // namespace atelier::data
