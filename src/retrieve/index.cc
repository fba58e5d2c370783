#include "retrieve/index.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "retrieve/segment_file.h"

namespace atelier::retrieve {

std::shared_ptr<const Index> Index::Open(const std::string& folder, const WordsProvider& words) {
  for (int attempt = 0;; ++attempt) {
    std::shared_ptr<Index> index(new Index);
    index->folder_ = folder;
    index->manifest_ = ReadIndexManifest(folder);
    const IndexConfig& config = index->manifest_.config;
    index->analyzer_ = MakeAnalyzer(config, words);
    try {
      for (const SegmentEntry& entry : index->manifest_.segments) {
        index->segments_.push_back(OpenSegment(folder, entry, config.dims));
      }
      for (size_t i = 0; config.dims > 0 && i < index->segments_.size(); ++i) {
        const SegmentEntry& entry = index->manifest_.segments[i];
        const std::string graph = entry.graph.empty() ? "" : Cat(folder, "/", entry.graph);
        if (!graph.empty() && Hash64Hex(graph) != entry.graph_hash) {
          throw Error(Code::kCorrupt, Cat(graph, ": is damaged: its checksum differs"), "make the index anew");
        }
        index->dense_.push_back(std::make_unique<Dense>(index->segments_[i], graph));
      }
    } catch (const Error& e) {
      // A writer may have merged away what the manifest named when it was read.
      if (e.code() == Code::kNotFound && attempt < 5 &&
          ReadIndexManifest(folder).generation != index->manifest_.generation) {
        continue;
      }
      if (e.code() == Code::kNotFound) throw Error(Code::kCorrupt, e.what(), "make the index anew");
      throw;
    }
    index->bm25_ = std::make_unique<Bm25>(index->segments_, config.bm25);
    return index;
  }
}

std::vector<Hit> Index::Search(std::string_view query, std::span<const float> vector,
                               const SearchOptions& options) const {
  Mode mode = options.mode;
  const bool can = manifest_.config.dims > 0;
  if (mode == Mode::kHybrid && (!can || vector.empty())) mode = Mode::kBm25;
  if (mode == Mode::kDense && (!can || vector.empty())) {
    throw Error(Code::kInvalidInput,
                Cat("the index ", Quote(manifest_.name), can ? " wants a vector for its question" : " has no vectors"),
                can ? Cat("load its model ", manifest_.config.model)
                    : "add its documents with --model, or search with --mode bm25");
  }
  if (mode != Mode::kBm25 && vector.size() != static_cast<size_t>(manifest_.config.dims)) {
    throw Error(Code::kInvalidInput,
                Cat("a vector of ", vector.size(), " numbers for an index of ", manifest_.config.dims));
  }
  std::vector<Allowed> allowed;
  bool any = false;
  for (size_t i = 0; i < segments_.size(); ++i) {
    allowed.push_back(AllowedChunks(*segments_[i], options.filter, manifest_.segments[i].deleted));
    any = any || !allowed.back().empty();
  }
  if (!any) allowed.clear();

  const size_t depth = mode == Mode::kHybrid ? std::max(options.fusion.depth, options.k) : options.k;
  std::vector<Scored> sparse, near;
  if (mode != Mode::kDense) sparse = bm25_->Search(analyzer_.Query(query), depth, allowed);
  if (mode != Mode::kBm25) {
    static const Allowed kAll;
    for (uint32_t i = 0; i < segments_.size(); ++i) {
      const auto found = dense_[i]->Search(vector.data(), depth, allowed.empty() ? kAll : allowed[i], i);
      near.insert(near.end(), found.begin(), found.end());
    }
    std::sort(near.begin(), near.end());
    if (near.size() > depth) near.resize(depth);
  }

  std::vector<Hit> hits;
  std::unordered_map<uint64_t, size_t> at;
  const auto hit_of = [&](const Scored& scored) -> Hit& {
    const auto [place, added] = at.try_emplace((uint64_t{scored.segment} << 32) | scored.chunk, hits.size());
    if (added) {
      hits.emplace_back();
      hits.back().segment = scored.segment;
      hits.back().chunk = scored.chunk;
    }
    return hits[place->second];
  };
  for (size_t i = 0; i < sparse.size(); ++i) {
    Hit& hit = hit_of(sparse[i]);
    hit.bm25 = sparse[i].score;
    hit.bm25_rank = static_cast<int>(i) + 1;
    hit.score += mode == Mode::kHybrid ? options.fusion.bm25 / (options.fusion.k + hit.bm25_rank) : hit.bm25;
  }
  for (size_t i = 0; i < near.size(); ++i) {
    Hit& hit = hit_of(near[i]);
    hit.cosine = near[i].score;
    hit.dense_rank = static_cast<int>(i) + 1;
    hit.score += mode == Mode::kHybrid ? options.fusion.dense / (options.fusion.k + hit.dense_rank) : hit.cosine;
  }
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    if (a.score != b.score) return a.score > b.score;
    return a.segment != b.segment ? a.segment < b.segment : a.chunk < b.chunk;
  });
  if (hits.size() > options.k) hits.resize(options.k);
  for (Hit& hit : hits) {
    const Segment& segment = *segments_[hit.segment];
    const ChunkRow row = segment.chunk(hit.chunk);
    hit.document = segment.document_id(row.document);
    hit.title = segment.document_title(row.document);
    hit.source = segment.document_source(row.document);
    hit.lang = segment.document_lang(row.document);
    hit.anchor = segment.anchor(row);
    if (!segment.headings(row).empty()) hit.headings = Split(segment.headings(row), '\x1f');
    hit.begin = row.begin;
    hit.end = row.end;
    hit.begin_char = row.begin_char;
    hit.end_char = row.end_char;
  }
  if (options.texts) Describe(query, &hits);
  return hits;
}

void Index::Describe(std::string_view query, std::vector<Hit>* hits) const {
  std::unordered_set<std::string> wanted;
  for (std::string& term : analyzer_.Query(query)) wanted.insert(std::move(term));
  std::map<std::pair<uint32_t, uint32_t>, std::string> texts;  // a document may give several hits
  for (Hit& hit : *hits) {
    const uint32_t document = segments_[hit.segment]->chunk(hit.chunk).document;
    std::string& text = texts[{hit.segment, document}];
    if (text.empty()) text = segments_[hit.segment]->document_text(document);
    hit.text = text.substr(hit.begin, hit.end - hit.begin);
    std::vector<Term> terms;
    analyzer_.Analyze(hit.text, &terms);
    for (const Term& term : terms) {
      if (wanted.contains(term.text)) hit.highlights.emplace_back(term.begin, term.end);
    }
    std::sort(hit.highlights.begin(), hit.highlights.end());
    size_t kept = 0;
    for (const auto& span : hit.highlights) {
      if (kept > 0 && span.first <= hit.highlights[kept - 1].second) {
        hit.highlights[kept - 1].second = std::max(hit.highlights[kept - 1].second, span.second);
      } else {
        hit.highlights[kept++] = span;
      }
    }
    hit.highlights.resize(kept);
  }
}

std::unique_ptr<Document> Index::FindDocument(std::string_view id) const {
  for (size_t i = 0; i < segments_.size(); ++i) {
    const auto& deleted = manifest_.segments[i].deleted;
    for (uint32_t document = 0; document < segments_[i]->documents(); ++document) {
      if (segments_[i]->document_id(document) == id && !std::binary_search(deleted.begin(), deleted.end(), document)) {
        return std::make_unique<Document>(segments_[i]->document(document));
      }
    }
  }
  return nullptr;
}

Json ToJson(const Hit& hit) {
  Json highlights = Json::array();
  for (const auto& [begin, end] : hit.highlights) highlights.push_back({begin, end});
  return {{"score", hit.score},
          {"bm25", hit.bm25},
          {"bm25_rank", hit.bm25_rank},
          {"cosine", hit.cosine},
          {"dense_rank", hit.dense_rank},
          {"document", hit.document},
          {"title", hit.title},
          {"source", hit.source},
          {"anchor", hit.anchor},
          {"lang", hit.lang},
          {"headings", hit.headings},
          {"span", {{"bytes", {hit.begin, hit.end}}, {"characters", {hit.begin_char, hit.end_char}}}},
          {"text", hit.text},
          {"highlights", highlights}};
}

}  // namespace atelier::retrieve
