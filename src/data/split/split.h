// Dividing a dataset into train, valid and test so that nothing leaks from one into another and nothing moves when the
// dataset grows.
//
// What belongs together stays together: near duplicates (dedup/dedup.h), and records of one group (one reader, say).
// Both relations join: the units that are placed are the connected components of the two. Each has a key: the smallest
// hash of its groups, or of its records' _id where it has none.
//
//   random      the key's hash with the seed, a number in [0, 1), falls into one of the shares. Adding or removing
//   other
//               records does not change it.
//   stratified  in each stratum (one value of a field) the components, in the order of their keys' hashes, go to the
//               part that is furthest behind its share of the stratum.
//   by time     components in the order of their latest record: the earliest are train, the latest test.
//
// Where an older version of the dataset was split by the same settings, its records stay where they were (found by
// _id), and only new components are placed as above; this is what makes strata and time stable. A new record may join
// two components that lay apart: the whole then goes to the first of their parts in the declared order (train first: a
// record that was trained on never becomes a test), and the records that moved are counted.
//
// Memory: `memory`, and 5.3 bytes a record.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "data/dataset.h"
#include "data/dedup/dedup.h"

namespace atelier::data {

struct SplitOptions {
  std::vector<std::pair<std::string, double>> parts = {
      {"train", 0.8}, {"valid", 0.1}, {"test", 0.1}};  // shares add to 1
  std::string stratify = {}, group = {}, time = {};    // fields; "" : none. Not stratify with time
  uint64_t seed = 1;
  bool near = true;           // near duplicates stay together
  bool fresh = false;         // older versions do not count
  DedupOptions similar = {};  // which records are near ones; its survivor rule does not matter
};

struct SplitOutcome {
  Manifest manifest;
  Json report;  // as split.json beside the shards holds it
};

SplitOutcome SplitDataset(const Datasets& datasets, const std::string& ref, SplitOptions options,
                          const std::function<ProgressFn(std::string_view stage)>& progress = nullptr);

// The settings that decide, as the manifest's recipe has them.
std::string ToToml(const SplitOptions& options);

// `line` with "_split" as its last key, in place of one that it has.
void AppendWithSplit(std::string_view line, std::string_view part, std::string* out);

}  // namespace atelier::data
