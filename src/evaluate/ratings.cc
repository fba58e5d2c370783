#include "evaluate/ratings.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/str.h"
#include "data/csv.h"
#include "data/encoding.h"

namespace atelier::evaluate {
namespace {

constexpr size_t kNoColumn = static_cast<size_t>(-1);

size_t FindColumn(const data::CsvTable& table, const std::string& name, const std::string& file) {
  if (name.empty()) return kNoColumn;
  const auto at = std::find(table.header.begin(), table.header.end(), name);
  if (at != table.header.end()) return static_cast<size_t>(at - table.header.begin());
  throw Error(Code::kInvalidInput, Cat(file, ": has no column ", Quote(name)),
              Cat("its columns are ", Quote(Join(table.header, ", "), 200)));
}

// Numbers that are equal are one category, however they are written.
void OrderByValue(const std::set<std::string>& seen, Ratings* ratings, std::map<std::string, int32_t>* index) {
  std::vector<std::pair<double, std::string>> sorted;
  for (const std::string& text : seen) sorted.emplace_back(*ParseDouble(text), text);
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [value, text] : sorted) {
    if (ratings->numbers.empty() || ratings->numbers.back() != value) {
      ratings->numbers.push_back(value);
      ratings->categories.push_back(text);
    }
    (*index)[text] = static_cast<int32_t>(ratings->categories.size()) - 1;
  }
  ratings->ordered = true;
}

}  // namespace

Ratings ReadRatings(std::string text, const std::string& file, const RatingsOptions& options) {
  const data::CsvTable table = data::ParseCsv(data::DecodeText(std::move(text), file).text, file);
  const size_t skipped = FindColumn(table, options.items, file);
  Ratings ratings;
  for (size_t c = 0; c < table.header.size(); ++c) {
    if (c != skipped) ratings.raters.push_back(table.header[c]);
  }
  if (ratings.raters.size() < 2) {
    throw Error(Code::kInvalidInput, Cat(file, ": holds ", ratings.raters.size(), " rater, agreement needs two"),
                "one column per rater, its name in the first row");
  }
  std::vector<std::string> cells;
  for (const data::CsvRow& row : table.rows) {
    for (size_t c = 0; c < row.cells.size(); ++c) {
      if (c == skipped) continue;
      cells.emplace_back(Trim(row.cells[c]));
      if (cells.back().empty()) continue;
      RequireRating(
          cells.back(), [&] { return Cat(file, ":", row.line, ": ", Quote(table.header[c])); }, options.order);
    }
  }
  return RatingsOf(std::move(ratings.raters), cells, file, options.order);
}

void RequireRating(const std::string& cell, const std::function<std::string()>& where,
                   const std::vector<std::string>& order) {
  const std::string lower = ToLowerAscii(cell);
  if (lower == "nan" || lower == "inf" || lower == "-inf") {
    throw Error(Code::kInvalidInput, Cat(where(), " rated ", Quote(cell), ", which is no finite number"),
                "leave the cell empty where there is no rating");
  }
  if (!order.empty() && std::find(order.begin(), order.end(), cell) == order.end()) {
    throw Error(Code::kInvalidInput, Cat(where(), " rated ", Quote(cell), ", which is not in the order"),
                Cat("the order is ", Quote(Join(order, " < "), 200)));
  }
}

Ratings RatingsOf(std::vector<std::string> raters, const std::vector<std::string>& cells, const std::string& file,
                  const std::vector<std::string>& order) {
  Ratings ratings;
  ratings.raters = std::move(raters);
  std::set<std::string> seen;
  bool numeric = true;
  for (const std::string& cell : cells) {
    if (cell.empty() || !seen.insert(cell).second) continue;
    numeric = numeric && ParseDouble(cell).has_value();
  }
  if (seen.empty()) throw Error(Code::kInvalidInput, Cat(file, ": holds no rating"), "one row per item");
  std::map<std::string, int32_t> index;
  if (!order.empty()) {
    ratings.categories = order;
    ratings.ordered = true;
    for (const std::string& category : ratings.categories) {
      const std::optional<double> value = ParseDouble(category);
      if (value) ratings.numbers.push_back(*value);
    }
    if (ratings.numbers.size() < ratings.categories.size()) ratings.numbers.clear();
  } else if (numeric) {
    OrderByValue(seen, &ratings, &index);
  } else {
    ratings.categories.assign(seen.begin(), seen.end());
  }
  if (index.empty()) {
    for (size_t i = 0; i < ratings.categories.size(); ++i) index[ratings.categories[i]] = static_cast<int32_t>(i);
  }
  for (const std::string& cell : cells) ratings.values.push_back(cell.empty() ? -1 : index.at(cell));
  return ratings;
}

}  // namespace atelier::evaluate
