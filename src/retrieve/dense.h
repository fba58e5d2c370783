// The nearest vectors of a segment by inner product (unit vectors: cosine). Exact up to 20,000 vectors; above, a graph
// (Malkov & Yashunin 2018, by hnswlib) over the vectors in eight bits, whose finds are scored again with the full ones.
//
// hnswlib 0.6.2 knows neither filters nor deletions: a search that may not return everything fetches more, and where
// less than a twentieth of the chunks is allowed, those are scored one by one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/progress.h"
#include "retrieve/bm25.h"
#include "retrieve/segment.h"

namespace atelier::retrieve {

inline constexpr uint32_t kExactUpTo = 20'000;

class Dense {
 public:
  // `graph`: the file that BuildGraph wrote for this segment, "" when it has none. REQUIRES: its checksum was compared.
  Dense(std::shared_ptr<const Segment> segment, const std::string& graph);
  ~Dense();

  // The k nearest of the allowed chunks, best first, into `best`, whose entries name segment number `number`. `query`:
  // [dims]. From any thread.
  std::vector<Scored> Search(const float* query, size_t k, const Allowed& allowed, uint32_t number) const;
  std::vector<Scored> Exact(const float* query, size_t k, const Allowed& allowed, uint32_t number) const;
  bool has_graph() const;

  // Writes the graph over the segment's vectors to `path`, the same bytes for the same vectors. Not atomic: nothing
  // names the file until it is whole.
  static void BuildGraph(const Segment& segment, const std::string& path, const ProgressFn& progress);

 private:
  struct Graph;
  std::shared_ptr<const Segment> segment_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace atelier::retrieve
