#include "retrieve/index_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/str.h"
#include "retrieve/segment_file.h"
#include "retrieve/segment_format.h"

namespace atelier::retrieve {
namespace {

std::string Hex(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

void SyncFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!done) throw Error(Code::kIo, Cat(path, ": could not be synced"), "is the disk full?");
}

// The chunks of a stored document, as they were cut when it came.
std::vector<Chunk> StoredChunks(const Segment& segment, uint32_t document) {
  std::vector<Chunk> chunks;
  for (uint32_t i = segment.first_chunk(document); i < segment.first_chunk(document + 1); ++i) {
    const ChunkRow row = segment.chunk(i);
    chunks.push_back({row.begin, row.end, row.begin_char, row.end_char, std::string(segment.headings(row)),
                      std::string(segment.anchor(row))});
  }
  return chunks;
}

}  // namespace

std::string Hash64Hex(const std::string& path) {
  const auto file = MappedFile::Open(path);
  return Hex(Hash64({reinterpret_cast<const char*>(file->data()), file->size()}));
}

std::string SegmentHash(std::string_view bytes) {
  return Hex(Hash64(bytes.substr(0, std::min<size_t>(bytes.size(), kSegmentHeader + 32 * kSectionEntry))));
}

Analyzer MakeAnalyzer(const IndexConfig& config, const WordsProvider& words) {
  WordsFn segmenter;
  if (config.analysis.words) {
    if (!words) throw Error(Code::kInternal, Cat("nobody gives the segmenter ", Quote(config.segmenter)));
    segmenter = words(config.segmenter);
  }
  return Analyzer(config.analysis, std::move(segmenter));
}

std::shared_ptr<const Segment> OpenSegment(const std::string& folder, const SegmentEntry& entry, int dims) {
  const std::string path = Cat(folder, "/", entry.file);
  if (!FileExists(path)) throw Error(Code::kNotFound, Cat(path, ": is gone"));
  auto segment = Segment::Open(path);
  const auto file = MappedFile::Open(path);
  const std::string_view bytes(reinterpret_cast<const char*>(file->data()), file->size());
  if (SegmentHash(bytes) != entry.hash || segment->documents() != entry.documents ||
      segment->chunks() != entry.chunks || (segment->chunks() > 0 && segment->dims() != dims)) {
    throw Error(Code::kCorrupt, Cat(path, ": is not the file that the index names"), "make the index anew");
  }
  return segment;
}

IndexWriter::IndexWriter(const std::string& folder, const std::string& name, const IndexConfig& config,
                         WriterOptions options)
    : folder_(folder), options_(std::move(options)) {
  MakeFolders(folder);
  lock_ = std::make_unique<artefact::FileLock>(Cat(folder, "/lock"), options_.on_wait);
  if (FileExists(Cat(folder, "/index.json"))) {
    manifest_ = ReadIndexManifest(folder);
    const IndexConfig& own = manifest_.config;
    if (options_.embedder == nullptr && own.dims > 0) {
      throw Error(Code::kNotFound,
                  Cat("the index ", Quote(manifest_.name), " has vectors of ", own.model, ", which is not here"),
                  Cat("atelier model pull ", own.model));
    }
    if (own.dims > 0 && options_.embedder->info().hash != own.model_hash) {
      throw Error(Code::kConflict,
                  Cat("the index ", Quote(manifest_.name), " was made with other weights of ", own.model),
                  "their vectors cannot be compared: make the index anew");
    }
    if (own.dims == 0) options_.embedder = nullptr;
  } else {
    manifest_.name = name;
    manifest_.created_at = FormatTime(NowMillis());
    manifest_.config = config;
    IndexConfig& own = manifest_.config;
    own.model = options_.embedder ? options_.embedder->info().name : "";
    own.model_hash = options_.embedder ? options_.embedder->info().hash : "";
    own.dims = options_.embedder ? options_.embedder->dims() : 0;
  }
  analyzer_ = MakeAnalyzer(manifest_.config, options_.words);
  Sweep();
  for (const SegmentEntry& entry : manifest_.segments) {
    open_.push_back({entry, OpenSegment(folder_, entry, manifest_.config.dims)});
    Learn(static_cast<uint32_t>(open_.size()) - 1);
  }
}

IndexWriter::~IndexWriter() = default;

void IndexWriter::Learn(uint32_t number) {
  const Open& open = open_[number];
  for (uint32_t i = 0; i < open.segment->documents(); ++i) {
    if (std::binary_search(open.entry.deleted.begin(), open.entry.deleted.end(), i)) continue;
    places_[std::string(open.segment->document_id(i))] = {number, i};
  }
}

// Files that no manifest names: what a writer that died had begun, and what was merged away.
void IndexWriter::Sweep() {
  for (const std::string& name : ListFolder(folder_)) {
    const bool ours = name.starts_with("segment-") || name.starts_with("graph-") || name.starts_with("index.json.tmp.");
    if (!ours) continue;
    const auto named = [&](const SegmentEntry& entry) { return entry.file == name || entry.graph == name; };
    if (std::none_of(manifest_.segments.begin(), manifest_.segments.end(), named)) RemoveFile(Cat(folder_, "/", name));
  }
}

bool IndexWriter::Delete(std::string_view id) {
  const std::string key(id);
  bool found = false;
  if (const auto at = pending_ids_.find(key); at != pending_ids_.end()) {
    pending_[at->second] = nullptr;
    pending_ids_.erase(at);
    found = true;
  }
  if (const auto at = places_.find(key); at != places_.end()) {
    auto& deleted = open_[at->second.segment].entry.deleted;
    deleted.insert(std::upper_bound(deleted.begin(), deleted.end(), at->second.document), at->second.document);
    places_.erase(at);
    found = true;
  }
  return found;
}

std::set<std::string> IndexWriter::IdsOf(std::string_view source) const {
  std::set<std::string> ids;
  for (const auto& [id, place] : places_) {
    if (open_[place.segment].segment->document_source(place.document) == source) ids.insert(id);
  }
  return ids;
}

IndexWriter::Added IndexWriter::Add(Document document) {
  if (document.id.empty()) throw Error(Code::kInvalidInput, "a document without an id");
  if (const auto at = places_.find(document.id); at != places_.end()) {
    if (open_[at->second.segment].segment->document_hash(at->second.document) == DocumentHash(document)) {
      return Added::kUnchanged;
    }
  }
  const bool replaced = Delete(document.id);
  pending_bytes_ += document.text.size();
  pending_ids_[document.id] = pending_.size();
  pending_.push_back(std::make_unique<Document>(std::move(document)));
  if (pending_bytes_ >= options_.most_segment_text) Flush();
  return replaced ? Added::kReplaced : Added::kNew;
}

std::vector<float> IndexWriter::Embed(const Document& document, const std::vector<Chunk>& chunks) {
  if (options_.embedder == nullptr) return {};
  std::vector<float> vectors;
  std::vector<std::string> texts;
  const auto run = [&] {
    const std::vector<float> some = options_.embedder->Embed(texts, artefact::Embedder::Role::kPassage);
    vectors.insert(vectors.end(), some.begin(), some.end());
    embedded_ += texts.size();
    texts.clear();
    if (options_.progress) options_.progress(embedded_, 0, document.title);
  };
  for (const Chunk& chunk : chunks) {
    texts.push_back(PassageText(document, chunk));
    if (texts.size() == 32) run();
  }
  if (!texts.empty()) run();
  return vectors;
}

IndexWriter::Open IndexWriter::Write(std::span<const SegmentInput> inputs) {
  const std::string bytes = BuildSegment(inputs, analyzer_, manifest_.config.bm25, manifest_.config.dims);
  Open open;
  open.entry.file = Cat("segment-", NewUuid(), ".seg");
  open.entry.hash = SegmentHash(bytes);
  open.entry.bytes = bytes.size();
  const std::string path = Cat(folder_, "/", open.entry.file);
  WriteFileAtomic(path, bytes);
  open.segment = Segment::Open(path, false);
  open.entry.documents = open.segment->documents();
  open.entry.chunks = open.segment->chunks();
  if (manifest_.config.dims > 0 && open.segment->chunks() > kExactUpTo) {
    open.entry.graph = Cat("graph-", NewUuid(), ".hnsw");
    const std::string graph = Cat(folder_, "/", open.entry.graph);
    Dense::BuildGraph(*open.segment, graph, [&](uint64_t done, uint64_t total, std::string_view) {
      if (options_.progress) options_.progress(done, total, "linking vectors");
    });
    open.entry.graph_hash = Hash64Hex(graph);
    SyncFile(graph);
  }
  return open;
}

void IndexWriter::Flush() {
  std::vector<SegmentInput> inputs;
  for (const auto& document : pending_) {
    if (document == nullptr) continue;
    SegmentInput input{document.get(), ChunkDocument(*document, manifest_.config.chunks), {}};
    input.vectors = Embed(*document, input.chunks);
    inputs.push_back(std::move(input));
  }
  if (!inputs.empty()) {
    open_.push_back(Write(inputs));
    Learn(static_cast<uint32_t>(open_.size()) - 1);
  }
  pending_.clear();
  pending_ids_.clear();
  pending_bytes_ = 0;
}

void IndexWriter::Merge() {
  // What is too full of deleted documents, and, when there are too many segments, all but those that are as large as
  // the rest together: each document is then written again about log(size) times.
  std::vector<bool> take(open_.size());
  size_t staying = 0;
  for (size_t i = 0; i < open_.size(); ++i) {
    const SegmentEntry& entry = open_[i].entry;
    take[i] = static_cast<double>(entry.deleted.size()) > options_.most_deleted * entry.documents;
    staying += !take[i];
  }
  if (staying > options_.most_segments) {
    std::vector<size_t> order(open_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return open_[a].entry.bytes < open_[b].entry.bytes; });
    uint64_t sum = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      const uint64_t bytes = open_[order[i]].entry.bytes;
      if (i >= 2 && bytes > sum) break;
      take[order[i]] = true;
      sum += bytes;
    }
  }
  if (std::none_of(take.begin(), take.end(), [](bool t) { return t; })) return;
  std::vector<std::unique_ptr<Document>> documents;
  std::vector<SegmentInput> inputs;
  std::vector<Open> kept;
  const auto dims = static_cast<size_t>(manifest_.config.dims);
  for (size_t i = 0; i < open_.size(); ++i) {
    if (!take[i]) {
      kept.push_back(std::move(open_[i]));
      continue;
    }
    const Segment& segment = *open_[i].segment;
    for (uint32_t d = 0; d < segment.documents(); ++d) {
      if (std::binary_search(open_[i].entry.deleted.begin(), open_[i].entry.deleted.end(), d)) continue;
      documents.push_back(std::make_unique<Document>(segment.document(d)));
      SegmentInput input{documents.back().get(), StoredChunks(segment, d), {}};
      if (segment.dims() > 0) {
        input.vectors.assign(segment.vectors() + segment.first_chunk(d) * dims,
                             segment.vectors() + segment.first_chunk(d + 1) * dims);
      }
      inputs.push_back(std::move(input));
    }
  }
  if (!inputs.empty()) kept.push_back(Write(inputs));
  open_ = std::move(kept);
  places_.clear();
  for (uint32_t i = 0; i < open_.size(); ++i) Learn(i);
}

IndexManifest IndexWriter::Commit() {
  Flush();
  Merge();
  manifest_.segments.clear();
  for (const Open& open : open_) manifest_.segments.push_back(open.entry);
  manifest_.changed_at = FormatTime(NowMillis());
  ++manifest_.generation;
  WriteFileAtomic(Cat(folder_, "/index.json"), ToPrettyText(ToJson(manifest_)) + "\n");
  Sweep();
  return manifest_;
}

void RemoveIndex(const std::string& folder) {
  ReadIndexManifest(folder);
  const artefact::FileLock lock(Cat(folder, "/lock"));
  // The manifest first: from here on there is no index, whatever happens to the rest.
  RemoveFile(Cat(folder, "/index.json"));
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

}  // namespace atelier::retrieve
