// An index: a folder of segments that never change and one small file that says which of them count.
//
//   indexes/NAME/index.json        the manifest: configuration, segments, deleted documents; replaced atomically
//   indexes/NAME/segment-UUID.seg  segment.h
//   indexes/NAME/graph-UUID.hnsw   the graph over a large segment's vectors
//   indexes/NAME/lock              held by whoever writes
//
// A reader opens a snapshot, which stays as it is whatever is written meanwhile. A writer adds segments and then
// replaces the manifest: killed at any moment it leaves the old index or the new one, and files that nobody names,
// which the next writer removes. docs/formats/index.md.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "artefact/embedder.h"
#include "base/json.h"
#include "retrieve/analysis.h"
#include "retrieve/bm25.h"
#include "retrieve/chunk.h"
#include "retrieve/dense.h"
#include "retrieve/filter.h"

namespace atelier::retrieve {

// Fixed when an index is made.
struct IndexConfig {
  AnalysisOptions analysis;
  Bm25Options bm25;
  ChunkOptions chunks;
  std::string segmenter;   // whose words are indexed; "": none
  std::string model;       // the embedder's name; "": BM25 only
  std::string model_hash;  // SHA-256 of its weights: vectors of others are not comparable
  int dims = 0;
};

struct SegmentEntry {
  std::string file;
  std::string graph;       // "" : none
  std::string hash;        // XXH64 of the segment's header and table, as hex
  std::string graph_hash;  // SHA-256
  uint32_t documents = 0, chunks = 0;
  uint64_t bytes = 0;
  std::vector<uint32_t> deleted;  // documents, ascending
};

struct IndexManifest {
  std::string name, created_at, changed_at;
  uint64_t generation = 0;  // one more with every commit
  IndexConfig config;
  std::vector<SegmentEntry> segments;

  uint64_t documents() const;  // that can be found
};

Json ToJson(const IndexManifest& manifest);
// Throws Error(kCorrupt) that names `what`.
IndexManifest IndexManifestFromJson(const Json& json, const std::string& what);
// Throws Error(kNotFound) when there is none.
IndexManifest ReadIndexManifest(const std::string& folder);

// 1 to 64 letters and digits of any script, '-', '_', '.', not beginning with a dot.
bool IsIndexName(std::string_view name);
// STUDIO/indexes/NAME. Throws Error(kUsage) for what is not a name.
std::string IndexFolder(const std::string& studio, const std::string& name);
std::vector<std::string> ListIndexes(const std::string& studio);

enum class Mode { kHybrid, kBm25, kDense };
Mode ParseMode(std::string_view text);  // "hybrid", "bm25", "dense"; throws Error(kUsage)
std::string_view ModeName(Mode mode);

// Weights of the two lists of a hybrid search.
struct Fusion {
  double k = 20;  // Cormack, Clarke & Buettcher 2009 (who take 60): score = sum of weight / (k + rank), ranks from 1
  double bm25 = 1;
  double dense = 2;
  size_t depth = 100;  // how much of each list is fused
};

struct SearchOptions {
  size_t k = 5;
  Mode mode = Mode::kHybrid;
  std::vector<Condition> filter = {};
  Fusion fusion = {};
  bool texts = true;  // fill the hits' texts and highlights
};

// A passage that was found, and where it stands.
struct Hit {
  uint32_t segment = 0, chunk = 0;
  double score = 0;                   // of the mode: fused, BM25's or the cosine
  double bm25 = 0;                    // 0 when it was not among BM25's
  double cosine = 0;                  // of the dense list; 0 when not among it
  int bm25_rank = 0, dense_rank = 0;  // from 1; 0: not in the list
  std::string document, title, source, anchor, lang;
  std::vector<std::string> headings;
  size_t begin = 0, end = 0, begin_char = 0, end_char = 0;  // in the document's text
  std::string text;
  std::vector<std::pair<size_t, size_t>> highlights;  // bytes in `text`, where terms of the query stand
};

Json ToJson(const Hit& hit);

class Index {
 public:
  // Opens the index as it is now. `words` is asked where the index was made with a segmenter.
  // Throws kNotFound, kCorrupt.
  static std::shared_ptr<const Index> Open(const std::string& folder, const WordsProvider& words = nullptr);

  // The best chunks. `vector`: the query's embedding, [dims]; empty where there is none, and then kHybrid is BM25 alone
  // and kDense an error. From any thread.
  std::vector<Hit> Search(std::string_view query, std::span<const float> vector, const SearchOptions& options) const;

  const IndexManifest& manifest() const { return manifest_; }
  const Analyzer& analyzer() const { return analyzer_; }
  const Bm25& bm25() const { return *bm25_; }
  const std::vector<std::shared_ptr<const Segment>>& segments() const { return segments_; }
  // The document of this id, nothing when there is none.
  std::unique_ptr<Document> FindDocument(std::string_view id) const;

 private:
  Index() = default;
  void Describe(std::string_view query, std::vector<Hit>* hits) const;

  std::string folder_;
  IndexManifest manifest_;
  Analyzer analyzer_;
  std::vector<std::shared_ptr<const Segment>> segments_;
  std::unique_ptr<Bm25> bm25_;
  std::vector<std::unique_ptr<Dense>> dense_;
};

}  // namespace atelier::retrieve
