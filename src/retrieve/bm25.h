// BM25 (Robertson & Zaragoza, The Probabilistic Relevance Framework, 2009) over the segments of an index.
//
//   score(q, d) = sum over terms t of q: idf(t) * tf / (tf + K),  K = k1 * (1 - b + b * length / average)
//   idf(t) = ln(1 + (N - n + 0.5) / (n + 0.5))
//
// The factor (k1 + 1) is left out: it changes no order. N, n and the average are those of all segments together,
// deleted chunks included until the next merge (as Lucene has it).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "retrieve/segment.h"

namespace atelier::retrieve {

inline float LengthTerm(const Bm25Options& options, uint32_t length, double average) {
  return static_cast<float>(options.k1 * (1 - options.b + options.b * static_cast<double>(length) / average));
}
inline float Impact(uint32_t count, float length_term) {
  const auto tf = static_cast<float>(count);
  return tf / (tf + length_term);
}

// 32 hex digits over everything that a document says.
std::string DocumentHash(const Document& document);

// One bit per chunk: which may be found. Empty: all.
using Allowed = std::vector<uint64_t>;
inline bool IsAllowed(const Allowed& allowed, uint32_t chunk) {
  return allowed.empty() || ((allowed[chunk >> 6] >> (chunk & 63)) & 1) != 0;
}

struct Scored {
  uint32_t segment, chunk;
  float score;
  bool operator<(const Scored& other) const {  // better first; ties by place
    if (score != other.score) return score > other.score;
    return segment != other.segment ? segment < other.segment : chunk < other.chunk;
  }
};

class Bm25 {
 public:
  Bm25(std::vector<std::shared_ptr<const Segment>> segments, const Bm25Options& options);

  // The `k` best chunks, best first. `allowed` has one entry per segment, or none at all. By MaxScore (Turtle & Flood
  // 1995) over windows of chunks, with the bounds of blocks (Ding & Suel 2011): the same as Exhaustive but for the
  // order of float sums.
  std::vector<Scored> Search(std::span<const std::string> terms, size_t k, std::span<const Allowed> allowed = {}) const;
  // Scores everything. The reference in tests.
  std::vector<Scored> Exhaustive(std::span<const std::string> terms, size_t k,
                                 std::span<const Allowed> allowed = {}) const;

  double Idf(std::string_view term) const;  // 0 where it does not occur
  double MostIdf() const;                   // of a term that would occur nowhere
  const std::vector<std::shared_ptr<const Segment>>& segments() const { return segments_; }

 private:
  void SearchSegment(uint32_t segment, std::span<const std::string> terms, std::span<const float> idf, size_t k,
                     const Allowed& allowed, std::vector<Scored>* best) const;

  std::vector<std::shared_ptr<const Segment>> segments_;
  Bm25Options options_;
  uint64_t chunks_ = 0;
  double average_ = 1;
  std::vector<std::vector<float>> length_terms_;  // K by segment and chunk
  std::vector<float> slack_;  // by segment: how much its stored bounds may fall short, since its average was another
};

}  // namespace atelier::retrieve
