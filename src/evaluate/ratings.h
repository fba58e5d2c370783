// Ratings of the same items by several people: a CSV table with a column per rater and a row per item. An empty cell is
// a rating that was not given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

struct Ratings {
  std::vector<std::string> raters;
  std::vector<std::string> categories;  // lowest first where `ordered`
  std::vector<double> numbers;          // of the categories; empty unless all of them are numbers
  bool ordered = false;
  std::vector<int32_t> values;  // [item][rater], a category, or -1: not given
  size_t items() const { return raters.empty() ? 0 : values.size() / raters.size(); }
  int32_t at(size_t item, size_t rater) const { return values[item * raters.size() + rater]; }
};

struct RatingsOptions {
  std::string items;               // the column that names the items and is no rater; "": there is none
  std::vector<std::string> order;  // the categories, lowest first; empty: numbers by value, other texts unordered
};

// Any encoding that data/encoding.h knows. Throws Error(kInvalidInput) "file:line: ..." for a rating that is not in
// `order` or is NaN or infinite, for fewer than two raters, for a table without a rating, and for what ParseCsv
// refuses.
Ratings ReadRatings(std::string text, const std::string& file, const RatingsOptions& options = {});

// The same from cells, [item][rater], that passed RequireRating; `file` names them where none is a rating.
Ratings RatingsOf(std::vector<std::string> raters, const std::vector<std::string>& cells, const std::string& file,
                  const std::vector<std::string>& order);
// Throws Error(kInvalidInput) "`where` rated ..." for NaN, an infinite number, and what is not in an `order` that is
// not empty.
void RequireRating(const std::string& cell, const std::function<std::string()>& where,
                   const std::vector<std::string>& order);

}  // namespace atelier::evaluate
