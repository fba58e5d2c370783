// What people and other programs read of a run of a suite.
#pragma once

#include <string>
#include <vector>

#include "experiment/suite_run.h"
#include "report/report.h"

namespace atelier::experiment {

// JUnit's XML, as CI servers read it: a testsuite per arm, in it a testcase per cut-off and one per case. A case fails
// where an assertion that missed its cut-off does not hold for it.
std::string JUnit(const SuiteResult& result, const Suite& suite);

// One run among those before it, for trends.
struct Trend {
  std::string run, time;
  std::map<std::string, std::map<std::string, double>> scores;  // by arm and measure
};
// history.jsonl, one run a line, oldest first. A file that is not there is empty; a damaged line is left out.
std::vector<Trend> ReadHistory(const std::string& path);
std::string HistoryLine(const SuiteResult& result, const Suite& suite);

// The comparison page: self-contained, no scripts.
std::string SuitePage(const SuiteResult& result, const Suite& suite, const std::vector<Trend>& history, bool chinese);

// The same as pictures: assertions together, a figure for each metric ("chrf") and for each trend of several runs
// ("chrf-trend").
report::Report SuiteReport(const SuiteResult& result, const Suite& suite, const std::vector<Trend>& history,
                           bool chinese);

// What a cell missed, in one line.
std::string FailureLine(const Cell& cell, bool chinese = false);

// Cases worth a look for this measure of this arm, the worst first: indices.
std::vector<size_t> WorstCases(const Cell& cell, bool lower_is_better);

}  // namespace atelier::experiment
