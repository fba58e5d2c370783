// Changes an index. One writer at a time, across processes: the constructor waits for the lock.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "artefact/embedder.h"
#include "artefact/file_lock.h"
#include "base/progress.h"
#include "retrieve/index.h"

namespace atelier::retrieve {

struct WriterOptions {
  std::shared_ptr<artefact::Embedder> embedder;  // null: BM25 only
  WordsProvider words;                           // asked where the index is made with a segmenter
  ProgressFn progress;                           // chunks embedded and written
  std::function<void()> on_wait;                 // called once if somebody else is writing
  uint64_t most_segment_text = 64u << 20;        // bytes of text in memory before a segment is written
  double most_deleted = 0.2;                     // share of a segment's documents; above, it is rebuilt
  size_t most_segments = 8;
};

class IndexWriter {
 public:
  // Opens the index in `folder`, or begins one with `config` (whose model fields come from the embedder). For one that
  // is there `config` is not looked at. Throws Error(kConflict) when its vectors are another model's.
  IndexWriter(const std::string& folder, const std::string& name, const IndexConfig& config, WriterOptions options);
  ~IndexWriter();  // without Commit() nothing has changed

  enum class Added { kNew, kReplaced, kUnchanged };
  // Replaces the document of the same id. One that says exactly the same is left alone.
  Added Add(Document document);
  bool Delete(std::string_view id);  // false: there is none

  // The documents that stood in the index with this source before anything was added.
  std::set<std::string> IdsOf(std::string_view source) const;

  // Makes the changes count; returns the new manifest. Merges what should be merged. REQUIRES: called once.
  IndexManifest Commit();

  const IndexManifest& manifest() const { return manifest_; }

 private:
  struct Place {
    uint32_t segment, document;
  };
  struct Open {
    SegmentEntry entry;
    std::shared_ptr<const Segment> segment;
  };
  void Sweep();
  void Flush();
  void Merge();
  Open Write(std::span<const SegmentInput> inputs);
  std::vector<float> Embed(const Document& document, const std::vector<Chunk>& chunks);
  void Learn(uint32_t segment);

  std::string folder_;
  WriterOptions options_;
  IndexManifest manifest_;
  Analyzer analyzer_;
  std::unique_ptr<artefact::FileLock> lock_;
  std::vector<Open> open_;
  std::unordered_map<std::string, Place> places_;  // of documents in segments
  std::vector<std::unique_ptr<Document>> pending_;
  std::unordered_map<std::string, size_t> pending_ids_;  // index into pending_, whose entry is null once deleted
  uint64_t pending_bytes_ = 0, embedded_ = 0;
};

// Takes an index away. Throws Error(kNotFound).
void RemoveIndex(const std::string& folder);

}  // namespace atelier::retrieve
