// A run of training as a page for people: curves, samples, pictures, settings. Made from metrics.jsonl.
#pragma once

#include <string>
#include <string_view>

namespace atelier::track {

// The page needs nothing else. `language`: "zh" or "en". Throws as ReadMetrics. A run that still goes on, or died, is
// shown as far as it came; a picture whose file is gone is named.
std::string ReportOfRun(const std::string& folder, std::string_view language);

// Writes it to FOLDER/report.html, atomically, and returns the path.
std::string WriteReportOfRun(const std::string& folder, std::string_view language);

}  // namespace atelier::track
