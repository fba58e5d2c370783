// What the analysis of one block of lines yields: texts, shingles, keys. One Analyst per thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/dedup/dedup.h"
#include "data/dedup/minhash.h"

namespace atelier::data {

struct RecordFacts {
  uint64_t shingles = 0;  // where they begin: in the block's list, then in the spool
  uint64_t order = 0;     // the survivor rule: least first
  uint64_t hash[2] = {};  // of the folded text, XXH3-128
  uint8_t id[16] = {};
  uint32_t shingle_count = 0;
  uint32_t has_text = 0;
};

struct BlockFacts {
  std::vector<RecordFacts> records;
  std::vector<uint32_t> shingles;
  std::vector<uint64_t> keys;        // [records with shingles, bands], in order
  std::vector<uint64_t> field_seen;  // [fields] records that have it
};

class Analyst {
 public:
  explicit Analyst(const DedupOptions& options);
  ~Analyst();
  // `lines` must have 64 readable bytes behind them. `first`: the number of the first record, for messages.
  void Analyse(std::string_view lines, uint64_t first, BlockFacts* out);

 private:
  struct Parser;

  const DedupOptions& options_;
  std::unique_ptr<Parser> parser_;
  MinHasher hasher_;
  FoldedText folded_;
  std::string whole_;  // the folded fields, each with a mark behind it
};

}  // namespace atelier::data
