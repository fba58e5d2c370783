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

// Both texts for a page, with what only `before` has in <del> and what only `after` has in <ins>: the fewest, by a
// longest common subsequence of words of ASCII letters and digits and of single other characters. Characters that
// nobody would see are shown by their number where they came or went. Beyond 400 such pieces the texts go as a whole.
struct MarkedDifference {
  std::string before, after;
};
MarkedDifference MarkDifference(std::string_view before, std::string_view after);

}  // namespace atelier::data::clean
