#include "evaluate/reference_metric.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/str.h"

namespace atelier::evaluate {

std::vector<int64_t> LineCounts::Sum() const {
  std::vector<int64_t> sum(width_);
  for (size_t at = 0; at < rows_.size(); at += width_) {
    for (size_t j = 0; j < width_; ++j) sum[j] += rows_[at + j];
  }
  return sum;
}

LineCounts CountLines(ReferenceMetric& metric, std::span<const std::string_view> hypotheses,
                      std::span<const std::vector<std::string_view>> references, const ProgressFn& progress) {
  metric.Prepare(hypotheses, references, progress);
  LineCounts counts(metric.width());
  int64_t largest = 1;
  std::vector<std::string_view> of_line(references.size());
  for (size_t line = 0; line < hypotheses.size(); ++line) {
    for (size_t r = 0; r < references.size(); ++r) of_line[r] = references[r][line];
    int64_t* row = counts.Add();
    metric.Count(hypotheses[line], of_line, row);
    for (size_t j = 0; j < counts.width(); ++j) largest = std::max(largest, std::abs(row[j]));
    if (progress && line % 4096 == 4095) progress(line + 1, hypotheses.size(), "");
  }
  // A drawn sample may be the largest line over and over.
  if (static_cast<int64_t>(hypotheses.size()) > INT64_MAX / largest) {
    throw Error(Code::kInvalidInput, Cat(hypotheses.size(), " lines are too many to be added up exactly"),
                Cat("at most ", INT64_MAX / largest, " of these; split the file"));
  }
  return counts;
}

std::string Signature(const ReferenceMetric& metric, size_t references, const Resampled& resampled, bool line) {
  std::string text = Cat("nrefs:", references);
  if (resampled.bootstrap > 0) text += Cat("|bs:", resampled.bootstrap);
  if (resampled.randomisation > 0) text += Cat("|ar:", resampled.randomisation);
  if (resampled.bootstrap > 0 || resampled.randomisation > 0) text += Cat("|seed:", resampled.seed, "|rng:splitmix64");
  return Cat(text, "|", metric.Fields(line), "|version:", metric.version());
}

}  // namespace atelier::evaluate
