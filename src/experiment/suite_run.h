// A suite at work: every arm over every case, every measure over what they made, held against the cut-offs, against an
// earlier run, and against the first arm.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "evaluate/reference_metric.h"
#include "evaluate/resample.h"
#include "experiment/case_runner.h"
#include "experiment/suite.h"

namespace atelier::experiment {

// Of one score to another over the cases that both have; the interval by paired bootstrap, p by exchange of cases, two
// sided (evaluate/resample.h).
struct Difference {
  size_t cases = 0;
  double other = 0, difference = 0, low = 0, high = 0, p = 1;
};

// One measure of one arm.
struct Cell {
  bool asked = false;  // the measure is for this arm
  std::string signature;
  std::vector<std::optional<Value>> values;  // [case]; nothing where the measure is not for the case
  std::vector<size_t> rows;                  // the case of each row of counts
  evaluate::LineCounts counts{1};
  size_t missing = 0;  // cases that it is for and that have no value
  double score = 0;    // meaningless without rows
  evaluate::Interval interval;
  std::optional<Difference> baseline, first;
  std::vector<Note> failures;  // "0.83 is below 0.9", one per cut-off that is missed
};

struct ArmResult {
  Arm arm;
  std::string recipe_hash;  // "" where its outputs came from a file
  std::vector<Output> outputs;
  std::vector<Cell> cells;  // [measure]
  double seconds = 0;
  size_t cached = 0, errors = 0;
};

// An earlier run, as far as it can be compared with.
struct Baseline {
  struct Measured {
    std::string signature;
    double score = 0;
    std::map<std::string, std::vector<int64_t>> counts;  // by case
  };
  std::string suite, run, time, file;
  std::map<std::string, std::map<std::string, Measured>> arms;  // by arm and measure
};

struct SuiteResult {
  std::string run, time;
  std::vector<Case> cases;
  std::vector<ArmResult> arms;
  std::vector<std::string> notes;
  std::string baseline_run, baseline_time;  // "" where there is none
  bool passed = true;                       // every cut-off holds and nothing failed
};

// Throws what reading cases and running recipes throws, kCancelled where the runner is.
SuiteResult RunSuite(Suite& suite, CaseRunner& runner, const std::optional<Baseline>& baseline);

// docs/formats/suite.md says what is in it.
Json ToJson(const SuiteResult& result, const Suite& suite);
// Reads what ToJson wrote. Throws kNotFound, and kCorrupt that names the file, for anything else.
Baseline ReadBaseline(const std::string& path);
// The same from text, for fuzzing.
Baseline ParseBaseline(std::string_view text, const std::string& path);

}  // namespace atelier::experiment
