// De-duplication of a dataset version: the next version without its duplicates, which go to the rejects with the
// reason.
#pragma once

#include <functional>
#include <string>

#include "base/progress.h"
#include "data/dataset.h"
#include "data/dedup/dedup.h"

namespace atelier::data {

struct DedupOutcome {
  Manifest manifest;  // of the new version
  DedupStats stats;
  Json report;  // as dedup.json beside the shards holds it
};

// `ref`: "NAME" or "NAME@3"; the new version is NAME's newest. options.scratch is set to the datasets' folder. The
// survivors keep their order. Throws as Deduplicator, DatasetReader and DatasetWriter do.
DedupOutcome DedupDataset(const Datasets& datasets, const std::string& ref, DedupOptions options,
                          const std::function<ProgressFn(std::string_view stage)>& progress = nullptr);

std::string_view ToName(Survivor rule);
// "longest", "first", "newest:FIELD". Throws kUsage.
void ReadSurvivor(std::string_view text, DedupOptions* options);
// The options that decide about the result, as the manifest's recipe has them.
std::string ToToml(const DedupOptions& options);

}  // namespace atelier::data
