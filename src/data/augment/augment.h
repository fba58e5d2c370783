// More training data from what there is: every record of the train side and changed copies of it.
//
// A copy is a function of the seed, the record's _id and the copy's number: the same data and configuration give the
// same bytes, whatever stands around a record. A copy that came out unchanged, or equal to another of its record, is
// left out. "_from" of a copy is its parent's _id as text (of other records it is [source, line]); its "_split" is its
// parent's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/progress.h"
#include "data/augment/operation.h"
#include "data/dataset.h"

namespace atelier::data {

struct AugmentStep {
  std::string use;
  std::vector<std::string> fields;  // of text
  double chance = 1;                // that a copy goes through this step
  std::unique_ptr<AugmentOperation> operation;
};

// seed, copies (1..100), part ("train"), whole (false: a dataset without splits is refused), and [[step]]s with use,
// fields, chance and the keys of the operation. Strict.
struct AugmentOptions {
  uint64_t seed = 1;
  int copies = 1;
  std::string part = "train";
  bool whole = false;
  std::vector<AugmentStep> steps;
  std::string toml;  // the text that it was read from
};
AugmentOptions ReadAugmentOptions(const std::string& path);
AugmentOptions ParseAugmentOptions(std::string_view toml, const std::string& file, const std::string& folder);

struct AugmentOutcome {
  Manifest manifest;
  Json report;  // as augment.json beside the shards holds it: counts by step, examples
};
AugmentOutcome AugmentDataset(const Datasets& datasets, const std::string& ref, const AugmentOptions& options,
                              const std::function<ProgressFn(std::string_view stage)>& progress = nullptr);

}  // namespace atelier::data
