// Exact and near duplicates of a dataset, in bounded memory.
//
// 1. Every record's chosen fields are folded (fold.h). Equal folded texts are exact duplicates, found by their 128-bit
//    hash in an external sort.
// 2. Of each group of exact duplicates one text goes on: shingles, MinHash, bands (minhash.h). An external sort brings
//    texts with a common band together: the candidates.
// 3. A candidate pair counts when the *exact* Jaccard similarity of its shingle sets reaches the threshold; it is not
//    estimated. Pairs are joined by union-find: clusters are the connected components.
// 4. Of each cluster one record stays, by a declared rule; every other record is reported with the reason.
// In a band that more than kWholeBucket texts share, a text is held against at most four members of each of the last
// 64 groups of that band instead of against all (texts in the order of their hashes): quadratic work becomes linear.
//
// The result depends on the records and the options alone, not on threads, memory or blocks; and not on the order of
// the records, unless the rule is kFirst. Memory: `memory`, and 4.3 bytes a record.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "data/dedup/shingles.h"
#include "data/external_sort.h"
#include "data/union_find.h"

namespace atelier::data {

enum class Survivor { kLongest, kFirst, kNewest };

struct DedupOptions {
  std::vector<std::string> fields = {};  // compared together; empty: every field that holds text
  double threshold = 0.8;                // of the Jaccard similarity, 0.3..1
  bool exact = false;                    // only step 1
  double recall = 0.95;                  // chance that a pair of exactly `threshold` becomes a candidate, 0.5..0.999
  ShingleSize shingles = {};
  Survivor survivor = Survivor::kLongest;  // of the compared text, folded, in characters; ties by _id
  std::string newest_field = {};           // kNewest: a number, or a date as ISO 8601 has it; without one: oldest
  uint64_t seed = 1;                       // of the permutations
  int threads = 1;
  size_t memory = size_t{256} << 20;
  std::string scratch = "/tmp";  // the folder for what does not fit
};

// One record that goes. Records are numbered from 0 in the order of Add.
struct Duplicate {
  uint32_t record, kept;  // its cluster's survivor
  uint32_t like;          // the record that brought it into the cluster: an equal or a near one
  float similarity;       // to the survivor: below the threshold where a chain of pairs leads there
  float like_similarity;  // to `like`
  bool equal;             // its folded text is the survivor's
  bool operator<(const Duplicate& other) const { return record < other.record; }
};

struct DedupStats {
  uint64_t records = 0, without_text = 0;
  uint64_t exact = 0, near = 0;        // records that go: equal to their survivor, or near
  uint64_t clusters = 0, largest = 0;  // of two records and more; records in the largest
  uint64_t candidates = 0, pairs = 0;  // pairs compared, of these similar enough
  uint64_t large_buckets = 0;          // bands that more than kWholeBucket texts share
  int bands = 0, rows = 0;
  bool spilled = false;
};

// 2024-05-01, 2024-05-01T12:30:00.5Z, 2024-05-01 12:30+08:00 or a number, as one number that grows with time.
bool ParseWhen(std::string_view text, double* when);

class Deduplicator {
 public:
  explicit Deduplicator(DedupOptions options);
  ~Deduplicator();

  // Whole lines, each a flat JSON object; 64 bytes behind them must be readable. Throws kCorrupt for one that is not,
  // kInvalidInput where the newest_field holds neither a number nor a date.
  void Add(std::string_view lines);
  // After the last Add. Throws kInvalidInput when a declared field is in no record.
  void Finish(const ProgressFn& progress = nullptr);

  const DedupStats& stats() const;
  // In the order of the records.
  const ExternalSorter<Duplicate>& duplicates() const;
  std::string Id(uint32_t record) const;  // its _id; where it has none, the hash of its line
  UnionFind* clusters();                  // over all records

  static constexpr size_t kWholeBucket = 48;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace atelier::data
