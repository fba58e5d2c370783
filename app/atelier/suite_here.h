// A suite in the studio that is here: what `evaluate suite` and `tune --suite` do alike.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/atelier/command.h"
#include "app/atelier/segmenter_option.h"
#include "experiment/suite_report.h"
#include "experiment/suite_run.h"
#include "store/studio.h"

namespace atelier::app {

// Throws as experiment::LoadSuite. `segmenter` outlives the suite.
experiment::Suite LoadSuiteHere(const store::Studio& studio, const std::string& file, SegmenterOption* segmenter,
                                const Globals& globals);

struct SuiteRunOptions {
  std::optional<experiment::Baseline> baseline;
  bool cache = true;            // outputs of the studio's cache stand
  std::optional<int64_t> jobs;  // cases at once; by default twice the processors
};
// Throws as experiment::RunSuite; Ctrl-C ends it with kCancelled.
experiment::SuiteResult RunSuiteHere(store::Studio& studio, experiment::Suite* suite, const SuiteRunOptions& options,
                                     const Globals& globals);

// `json`, which is ToJson of both, as results.json; junit.xml, index.html and a line more in history.jsonl, all in
// `folder`, which is there; passed.json too, which the next run compares with, where every cut-off holds and `whole`
// says that no arm was chosen or changed. Returns the history, this run included.
std::vector<experiment::Trend> WriteSuite(const std::string& folder, const experiment::SuiteResult& result,
                                          const experiment::Suite& suite, const Json& json, bool whole, bool chinese);

}  // namespace atelier::app
