// What a suite said of a model before and after it was tuned, as a part of the run's page.
#pragma once

#include <string>
#include <string_view>

namespace atelier::track {

// Of a run's folder: where results.json (docs/formats/suite.md) lies, its arms compared with others `against` them.
inline constexpr std::string_view kSuiteFolder = "suite";

// "" where no suite was run. A file that is none is named in the place of its figures.
std::string SuiteSection(const std::string& folder, bool chinese);

}  // namespace atelier::track
