// What a search found, for people and programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "track/search.h"

namespace atelier::track {

// A header and a row for each trial, best first, for a table on a terminal.
std::vector<std::vector<std::string>> SearchTable(const SearchState& state, std::string_view language);
// {"finished", "metric", "goal", "method", "best": number or null, "trials": [{"number", "values": {key: value},
// "steps", "value", "results", "failure"}]}, best first.
Json SearchJson(const SearchState& state);
// A page: the metric by each key, the course of the trials that got furthest, the table.
std::string SearchPage(const SearchState& state, std::string_view language);
// Writes it to FOLDER/report.html, atomically, and returns the path.
std::string WriteSearchPage(const SearchState& state, const std::string& folder, std::string_view language);

}  // namespace atelier::track
