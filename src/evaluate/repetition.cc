#include "evaluate/repetition.h"

#include <algorithm>
#include <set>

#include "evaluate/units.h"

namespace atelier::evaluate {

double RepetitionRate(std::string_view text, size_t n) {
  const std::vector<std::string> grams = Grams(Units(text), n);
  if (grams.size() < 2) return 0;
  const std::set<std::string> distinct(grams.begin(), grams.end());
  return 1 - static_cast<double>(distinct.size()) / static_cast<double>(grams.size());
}

size_t LongestStutter(std::string_view text, size_t most) {
  const std::vector<std::string> units = Units(text);
  size_t longest = units.empty() ? 0 : 1;
  for (size_t width = 1; width <= most && width * 2 <= units.size(); ++width) {
    size_t same = 0;  // how many units in a row equal the one `width` before
    for (size_t i = width; i < units.size(); ++i) {
      same = units[i] == units[i - width] ? same + 1 : 0;
      longest = std::max(longest, 1 + same / width);
    }
  }
  return longest;
}

}  // namespace atelier::evaluate
