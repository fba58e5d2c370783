// What the fields of a dataset hold, in one pass over its lines and a few KiB of memory per field: types, how many are
// there and empty, ranges, lengths, and how many distinct values (HyperLogLog, Flajolet et al. 2007, 4096 registers of
// which the bias of small counts is taken out by linear counting).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/manifest.h"
#include "data/record_line.h"

namespace atelier::data {

// How many distinct 64-bit hashes were seen, with a standard error of 1.04 / sqrt(4096) = 1.6 %.
class DistinctCounter {
 public:
  void Add(uint64_t hash);
  void Merge(const DistinctCounter& other);
  uint64_t Estimate() const;

 private:
  std::array<uint8_t, 4096> registers_{};
};

// For one thread; several may be merged.
class FieldStatistics {
 public:
  // Whole lines of a dataset. Our own keys are left out. Throws kCorrupt for a line that is no record.
  void Add(std::string_view lines);
  void Merge(const FieldStatistics& other);
  // Fields beyond the first 10,000 are not counted one by one; a note says so where it happened.
  std::vector<FieldInfo> Fields() const;
  std::map<std::string, uint64_t> Splits() const { return splits_; }
  uint64_t records() const { return records_; }
  bool truncated() const { return truncated_; }

 private:
  enum Type { kText, kNumber, kBool, kList, kObject, kNull, kTypes };
  struct Field {
    std::string key;  // as it is written in lines
    std::array<uint64_t, kTypes> types{};
    uint64_t present = 0, empty = 0;
    double min = 0, max = 0, mean = 0, squares = 0;  // Welford's
    uint64_t least = 0, most = 0, characters = 0;
    DistinctCounter distinct;
  };
  Field* Find(std::string_view key, size_t position);
  static void AddValue(Field* field, std::string_view value);

  std::deque<Field> fields_;  // does not move
  std::unordered_map<std::string_view, Field*> by_key_;
  std::vector<Field*> last_;  // by position in the last record
  std::vector<LineField> split_;
  std::map<std::string, uint64_t> splits_;
  uint64_t records_ = 0;
  bool truncated_ = false;
};

}  // namespace atelier::data
