// One number of several runs as one picture: which learned faster, and where each ends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::track {

// `metrics` of the runs in `folders` as an SVG, a line for each run and metric that it has, named after the run's
// folder. Runs may go on meanwhile. Throws kNotFound where no run has told any of them, and as ReadMetrics.
std::string DrawRuns(const std::vector<std::string>& folders, const std::vector<std::string>& metrics,
                     std::string_view title, bool chinese);

}  // namespace atelier::track
