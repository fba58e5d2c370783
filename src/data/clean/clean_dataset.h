// Cleaning a version of a dataset into the next one.
#pragma once

#include <string>

#include "base/progress.h"
#include "data/clean/cleaner.h"
#include "data/dataset.h"

namespace atelier::data::clean {

struct CleanRequest {
  std::string dataset;          // "NAME" or "NAME@3"
  std::string into;             // the name that gets the new version; "": the same
  std::string toml, toml_file;  // the list of operations, and what messages call it
  std::string fitted;           // a version or a file that fitted values are taken from; "": fit
  std::string language = "en";  // of the page: "zh" or "en"
  int threads = 1;
  ProgressFn progress;
};

struct CleanedDataset {
  Manifest manifest;
  Report report;
};

// Writes the version with its report (clean.json, and clean.html for people), what was fitted (fitted.json, where
// anything was) and the dropped records among its rejects. Rejects of the version before stay with that version. Throws
// what Cleaner and the dataset classes throw; then nothing was written.
CleanedDataset CleanDataset(const Datasets& datasets, const CleanRequest& request);

}  // namespace atelier::data::clean
