// Quantities that a text asserts: numbers with what they count or measure, however they are written: "100 g",
// "１００克", "一百克", "半小时", "四升半", "$18", "eighteen dollars", "a dozen". Words that only look like numbers
// (一起, 十分, "one of") are left alone. The same reader runs over the sheet and over the copy, so that what is copied
// is always found again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

struct Quantity {
  double value = 0;  // in `kind`'s base unit: grams, millilitres, millimetres, seconds ...
  std::string kind;  // "mass", "volume", "length", "time", "month", "price", "percent" ...; "count" for the rest
  std::string text;  // as it stands
  size_t begin = 0, end = 0;  // bytes of `text` in the source, full-width forms as they were
};

std::vector<Quantity> FindQuantities(std::string_view text);

// Whether two quantities say the same: equal kinds and values (to one part in a million).
bool SameQuantity(const Quantity& a, const Quantity& b);

}  // namespace atelier::evaluate
