#include "evaluate/overlap.h"

#include <set>
#include <string>

#include "evaluate/units.h"

namespace atelier::evaluate {
namespace {

std::set<std::string> CharacterGrams(std::string_view text, size_t n) {
  std::string joined;
  for (const std::string& unit : Units(text)) joined += unit;
  std::vector<std::string> characters;
  for (const char c : joined) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) characters.emplace_back();
    characters.back().push_back(c);
  }
  if (characters.size() <= n) return {joined};
  std::set<std::string> grams;
  for (size_t i = 0; i + n <= characters.size(); ++i) {
    std::string gram;
    for (size_t j = 0; j < n; ++j) gram += characters[i + j];
    grams.insert(std::move(gram));
  }
  return grams;
}

}  // namespace

double CharacterJaccard(std::string_view a, std::string_view b, size_t n) {
  const std::set<std::string> left = CharacterGrams(a, n), right = CharacterGrams(b, n);
  size_t shared = 0;
  for (const std::string& gram : left) shared += right.count(gram);
  const size_t all = left.size() + right.size() - shared;
  return all == 0 ? 1 : static_cast<double>(shared) / static_cast<double>(all);
}

}  // namespace atelier::evaluate
