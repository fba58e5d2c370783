// A run of training as a page for people: curves, samples, pictures, settings. Made from metrics.jsonl.
#pragma once

#include <string>
#include <string_view>

namespace atelier::track {

// Texts of these names, a number behind them, are shown side by side: what was asked and wanted, and what a model that
// is tuned said to it before its first step and at its last.
inline constexpr std::string_view kPromptText = "prompt/", kWantedText = "wanted/", kReplyText = "reply/";

// The page needs nothing else. `language`: "zh" or "en". Throws as ReadMetrics. A run that still goes on, or died, is
// shown as far as it came; a picture whose file is gone is named.
std::string ReportOfRun(const std::string& folder, std::string_view language);

// Writes it to FOLDER/report.html, atomically, and returns the path.
std::string WriteReportOfRun(const std::string& folder, std::string_view language);

}  // namespace atelier::track
