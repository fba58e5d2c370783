// What differs between two versions: fields, statistics, and the records that came, went or changed.
//
// Bounded memory: a record is 32 bytes (hash of its key, its id). Where both sides do not fit the budget at once, the
// versions are read several times, a part of the hashes each time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "data/dataset.h"

namespace atelier::data {

struct DiffOptions {
  std::string key = {};          // the field that names a record; "": a record is its content (its _id)
  size_t samples = 5;            // of each kind
  uint64_t memory = 512u << 20;  // for hashes
  ProgressFn progress = {};      // bytes of text
};

struct FieldDiff {
  std::string name;
  std::string what;  // "added", "removed", "types", "statistics"
  FieldInfo before, after;
};

struct RecordSample {
  std::string before, after;        // lines; "" where there is none
  std::vector<std::string> fields;  // of a changed record: those whose values differ
};

struct DiffReport {
  uint64_t same = 0, added = 0, removed = 0, changed = 0;
  uint64_t without_key[2] = {};    // records that lack the key field; they are compared by content
  uint64_t repeated_keys[2] = {};  // records beyond the first of their key
  std::vector<FieldDiff> fields;
  std::vector<RecordSample> added_samples, removed_samples, changed_samples;
};

// Throws kNotFound where neither side has the key field.
DiffReport Diff(const DatasetReader& before, const DatasetReader& after, const DiffOptions& options = {});

}  // namespace atelier::data
