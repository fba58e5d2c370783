#include "evaluate/distinct_n.h"

#include <set>

#include "evaluate/units.h"

namespace atelier::evaluate {

double DistinctN(const std::vector<std::string>& texts, size_t n) {
  std::set<std::string> seen;
  size_t total = 0;
  for (const std::string& text : texts) {
    for (std::string& gram : Grams(Units(text), n)) {
      ++total;
      seen.insert(std::move(gram));
    }
  }
  return total == 0 ? 0 : static_cast<double>(seen.size()) / static_cast<double>(total);
}

}  // namespace atelier::evaluate
