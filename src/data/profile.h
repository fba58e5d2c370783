// A closer look at a version than its manifest has: histograms, frequent values, duplicates, samples. One pass, bounded
// memory.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "data/dataset.h"

namespace atelier::data {

struct Histogram {
  double low = 0, high = 0;  // equal bins between them
  std::vector<uint64_t> counts;
};

struct FieldProfile {
  FieldInfo info;
  Histogram lengths, numbers;  // without bins where there is nothing of the kind
  // The most frequent values with their counts, which are exact where the field has at most 256 distinct values; else
  // they may be too low (Space-Saving, Metwally et al. 2005, less each counter's error).
  std::vector<std::pair<std::string, uint64_t>> top;
};

struct Profile {
  Manifest manifest;
  std::vector<FieldProfile> fields;   // the first 200
  uint64_t duplicates = 0;            // records beyond the first of equal content
  bool duplicates_estimated = false;  // from a sample of hashes, beyond eight million records
  std::vector<std::string> samples;   // lines, the same for the same content
  std::vector<std::string> rejects;   // the first lines of the rejects
};

Profile MakeProfile(const DatasetReader& reader, size_t samples = 8, const ProgressFn& progress = {});

// A page that needs nothing else: charts are inline SVG, all text is escaped. `language` is "zh" or "en".
std::string ProfilePage(const Profile& profile, const std::string& language);

}  // namespace atelier::data
