// Datasets in a studio: data/NAME/v000001/ with manifest.json, part-00000.jsonl.zst ..., reports, and
// rejects.jsonl.zst where records were refused. docs/formats/dataset.md.
//
// A version is written into data/NAME/.new-UUID/, synced, and renamed: whatever dies in between, the old version or the
// new one is there, never half. Versions never change. Leftovers of the dead are swept by the next writer of the name.
// Readers and writers hold the folder `data` shared, so that nobody collects objects meanwhile (collect.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/manifest.h"
#include "store/data_use.h"

namespace atelier::data {

// Letters and digits of any script, '-', '_', '.', not first '.' or '-'; at most 64 characters. Throws kUsage.
void CheckDatasetName(std::string_view name);

struct DatasetRef {
  std::string name;
  int version = 0;  // 0: the newest
};
// "NAME" or "NAME@3". Throws kUsage.
DatasetRef ParseDatasetRef(std::string_view text);

// The datasets below one folder, which is a studio's `data`.
class Datasets {
 public:
  explicit Datasets(std::string folder) : folder_(std::move(folder)) {}

  const std::string& folder() const { return folder_; }
  std::vector<std::string> Names() const;
  std::vector<int> Versions(const std::string& name) const;  // ascending; none: empty
  // The version's folder. Throws kNotFound, which names what is there.
  std::string Path(const DatasetRef& ref) const;
  std::string Path(std::string_view ref) const { return Path(ParseDatasetRef(ref)); }
  Manifest Load(const DatasetRef& ref) const;
  Manifest Load(std::string_view ref) const { return Load(ParseDatasetRef(ref)); }
  // One version, or all of them where ref.version is 0. A number that was used is not used again while the name lives.
  void Remove(const DatasetRef& ref) const;

 private:
  std::string folder_;
};

// Reads one version. Several threads may call Read at a time. A damaged or hostile shard (other bytes, more of them
// than the manifest says, lines without end) is Error(kCorrupt) that names the file.
class DatasetReader {
 public:
  // Holds the datasets (store/data_use.h) as long as it lives, unless the caller does: `held`.
  explicit DatasetReader(std::string version_folder, const store::DataUse* held = nullptr);
  DatasetReader(const Datasets& datasets, std::string_view ref) : DatasetReader(datasets.Path(ref)) {}

  const Manifest& manifest() const { return manifest_; }
  const std::string& folder() const { return folder_; }
  ParentRef AsParent() const { return {manifest_.name, manifest_.version, manifest_.content_hash}; }

  size_t shards() const { return manifest_.shards.size(); }
  // Calls fn with blocks of whole lines, each of which ends in '\n', in order; about 1 MiB each. The bytes are valid
  // during the call, and 64 bytes behind the block may be read (for simdjson). fn returns false to stop early, which
  // leaves the rest unchecked.
  using LinesFn = std::function<bool(std::string_view lines)>;
  void Read(size_t shard, const LinesFn& fn) const;
  // All shards, in order.
  void ReadAll(const LinesFn& fn) const;
  // The lines of rejects.jsonl.zst; nothing where there is none.
  void ReadRejects(const LinesFn& fn) const;

 private:
  std::string folder_;
  std::shared_ptr<const store::DataUse> use_;  // null where the caller holds them
  Manifest manifest_;
};

// One record that was left out, and why.
struct Rejection {
  std::string_view stage = "import";  // the operation that refused it
  int source = 0;                     // index into the manifest's sources
  uint64_t line = 0, column = 0;      // in the source, from 1; 0: unknown. Columns count bytes of the decoded line
  std::string_view reason = {};       // one line, in the reader's words
  std::string_view text = {};         // the record or the row; cut at 4 KiB
};

struct WriterOptions {
  int level = 0;                     // ZstdWriter's; 0..3
  uint64_t shard_bytes = 64u << 20;  // of text: a shard ends with the line that reaches it
  bool background = true;            // compress in a thread of its own
};

// Writes one version. For one thread at a time. Memory: some MiB. Destroyed without Commit, it leaves nothing. Make it
// before the objects that its records name are put.
class DatasetWriter {
 public:
  DatasetWriter(const Datasets& datasets, std::string name, WriterOptions options = {});
  ~DatasetWriter();
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  // `lines` are `records` whole lines, each a compact JSON object that ends in '\n'; where the shards are cut depends
  // on the lines alone, not on how they come.
  void Append(std::string_view lines, size_t records);
  void Reject(const Rejection& rejection);
  // A report beside the shards: a plain name ("clean.json"), other than the writer's own files.
  void AddFile(const std::string& name, std::string_view bytes);

  uint64_t records() const;
  uint64_t rejects() const;
  uint64_t bytes() const;

  // Fills in name, version, created_at, records, rejects, bytes, shards, files, recipe.sha256 and content_hash; the
  // rest is the caller's. The version is durable when this returns.
  Manifest Commit(Manifest draft);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace atelier::data
