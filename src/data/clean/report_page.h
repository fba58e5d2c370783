// A cleaning run's report as a page for people.
#pragma once

#include <string>
#include <string_view>

#include "data/clean/report.h"

namespace atelier::data::clean {

// A page that needs nothing else; all text is escaped. Per operation: how many records came, were changed and dropped,
// as bars; reasons; samples with the difference marked; what was fitted and found. `from` is the version that was read,
// "reviews@2"; `language` is "zh" or "en" (reasons are as in clean.json).
std::string ReportPage(const Report& report, std::string_view from, std::string_view language);

}  // namespace atelier::data::clean
