// Fusion of several datasets into one: records with the same key become one record, field by field, by declared rules.
//
// The key is the text of one field or of several; 12 and "12" are the same. Records whose key is empty go through as
// they are. Of a merged record, every field that any of them has is there, in the order in which they come; a value
// that is null or "" never wins over one that is there. Where values differ, the field's rule decides.
//
// The result has the order of the first record of every key, sources in the declared order. Three passes over the
// sources; only records that share a key are kept in between, in a spool. "_split" does not survive: a merged record
// may come from two parts. "_from" is that of the first record.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/progress.h"
#include "data/dataset.h"

namespace atelier::data {

struct ConflictRule {
  enum Kind {
    kFirst,     // of the sources in their order
    kNewest,    // of the record whose `by` is latest: a number or a date; without one: oldest
    kLongest,   // most characters; the first of equals
    kError,     // the merge fails and names both
    kKeepBoth,  // of records: where any field differs, none are merged
    kList,      // of a field: a list of the different values
  };
  Kind kind = kFirst;
  std::string by = {};  // kNewest
};
// "first", "newest:FIELD", "longest", "error", "keep-both" (records only), "list" (fields only). Throws kUsage.
ConflictRule ReadConflictRule(std::string_view text, bool of_field);

struct MergeOptions {
  std::vector<std::string> key;
  bool fold_key = false;  // case, width and white space of the key do not count
  ConflictRule rule = {};
  std::map<std::string, ConflictRule> fields = {};  // instead of `rule`
  size_t memory = size_t{256} << 20;
};

// key = "sku" or ["shop", "sku"], fold_key, on_conflict, and [fields] with NAME = RULE. Strict.
MergeOptions ReadMergeOptions(Table table);
std::string ToToml(const MergeOptions& options);

struct MergeOutcome {
  Manifest manifest;
  Json report;  // as merge.json beside the shards holds it: counts by field, the first conflicts
};

MergeOutcome MergeDatasets(const Datasets& datasets, const std::string& name, const std::vector<std::string>& refs,
                           const MergeOptions& options,
                           const std::function<ProgressFn(std::string_view stage)>& progress = nullptr);

}  // namespace atelier::data
