// What a cleaning run did, operation by operation.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace atelier::data::clean {

// Stands for what a report must not repeat: the personal data that `mask` took out.
inline constexpr std::string_view kNotShown = "(not shown)";

struct Example {
  uint64_t record = 0;  // from 1, in the order of the records that were read
  std::string before, after;
  std::string reason;  // of a drop; then `before` is the record and `after` is empty
};

struct Tally {
  static constexpr size_t kExamples = 3;  // of changes, and of drops per operation
  uint64_t seen = 0, changed = 0, dropped = 0;
  std::map<std::string, uint64_t, std::less<>> reasons;
  std::vector<Example> changes, drops;
  double seconds = 0;  // only when the run was profiled

  void Drop(std::string_view reason, uint64_t record, std::string_view line);
  void Change(uint64_t record, std::string_view before, std::string_view after);
  // Adds what a later block did; `base` records came before it.
  void Add(const Tally& later, uint64_t base);
};

struct OperationReport {
  std::string name;
  Tally tally;
  Json fitted, findings;  // null where there is nothing
};

struct Report {
  uint64_t read = 0, kept = 0;
  uint64_t bytes_in = 0, bytes_out = 0;
  Tally unreadable;  // lines that are no records
  std::vector<OperationReport> operations;
  double seconds = 0;
  double read_seconds = 0, write_seconds = 0;  // only when the run was profiled

  Json ToJson() const;
  static constexpr int kFormat = 1;
};

// An excerpt for a report: whole characters, at most `most` bytes.
std::string Excerpt(std::string_view text, size_t most = 160);

}  // namespace atelier::data::clean
