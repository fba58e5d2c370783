// A dataset as a file for other programs: JSON lines or CSV.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "data/dataset.h"

namespace atelier::data {

struct ExportOptions {
  std::string format = "jsonl";          // or "csv"
  std::vector<std::string> fields = {};  // in this order; empty: all
  std::string split = {};                // only records of this split; "": all
  bool ours = false;                     // keep _id, _split, _from
  // CSV: a cell that a spreadsheet would take for a formula (= + - @ first, or a tab or CR) gets a ' before it; plain
  // numbers stay. OWASP, CSV injection.
  bool guard_formulas = false;
  bool bom = false;          // CSV: a UTF-8 mark, by which Excel knows the encoding
  ProgressFn progress = {};  // bytes of text
};

struct ExportSums {
  uint64_t records = 0, bytes = 0, guarded = 0;
};

// `write` gets pieces. CSV: RFC 4180 with CRLF; values that are not text are written as JSON. Throws kNotFound for a
// field or a split that is not there.
ExportSums Export(const DatasetReader& reader, const ExportOptions& options,
                  const std::function<void(std::string_view)>& write);

}  // namespace atelier::data
