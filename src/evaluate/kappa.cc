#include "evaluate/kappa.h"

#include <cmath>
#include <numeric>

#include "evaluate/sums.h"

namespace atelier::evaluate {
std::vector<int64_t> CountPairs(const Ratings& ratings, size_t a, size_t b) {
  const size_t n = ratings.categories.size();
  std::vector<int64_t> pairs(n * n);
  for (size_t item = 0; item < ratings.items(); ++item) {
    const int32_t left = ratings.at(item, a), right = ratings.at(item, b);
    if (left >= 0 && right >= 0) ++pairs[static_cast<size_t>(left) * n + static_cast<size_t>(right)];
  }
  return pairs;
}

double CohenKappa(std::span<const int64_t> pairs, size_t categories, KappaWeights weights) {
  std::vector<double> rows(categories), columns(categories);
  for (size_t i = 0; i < categories; ++i) {
    for (size_t j = 0; j < categories; ++j) {
      rows[i] += static_cast<double>(pairs[i * categories + j]);
      columns[j] += static_cast<double>(pairs[i * categories + j]);
    }
  }
  const double all = std::accumulate(rows.begin(), rows.end(), 0.0);
  if (all == 0) return kUndefined;
  double seen = 0, expected = 0;
  for (size_t i = 0; i < categories; ++i) {
    for (size_t j = 0; j < categories; ++j) {
      const double apart = std::abs(static_cast<double>(i) - static_cast<double>(j));
      const double weight = weights == KappaWeights::kNone     ? (i == j ? 0 : 1)
                            : weights == KappaWeights::kLinear ? apart
                                                               : apart * apart;
      seen += weight * static_cast<double>(pairs[i * categories + j]);
      expected += weight * (rows[i] * columns[j] / all);
    }
  }
  return expected == 0 ? kUndefined : 1 - seen / expected;
}

double FleissKappa(const Ratings& ratings) {
  const size_t items = ratings.items();
  std::vector<double> shares(ratings.categories.size()), choices(ratings.categories.size());
  double raters = 0, agreed = 0;
  for (size_t item = 0; item < items; ++item) {
    double given = 0, squares = 0;
    const auto each = [&](const auto& visit) {
      for (size_t rater = 0; rater < ratings.raters.size(); ++rater) {
        if (ratings.at(item, rater) >= 0) visit(static_cast<size_t>(ratings.at(item, rater)));
      }
    };
    each([&](size_t category) {
      ++given;
      ++shares[category];
      squares += 2 * choices[category] + 1;  // (c + 1)^2 - c^2
      ++choices[category];
    });
    each([&](size_t category) { choices[category] = 0; });
    if (item == 0) raters = given;
    if (given != raters || raters < 2) return kUndefined;
    agreed += (squares - raters) / (raters * (raters - 1));
  }
  if (items == 0) return kUndefined;
  double chance = 0;
  for (const double share : shares) {
    const double p = share / (static_cast<double>(items) * raters);
    chance += p * p;
  }
  return chance == 1 ? kUndefined : (agreed / static_cast<double>(items) - chance) / (1 - chance);
}

}  // namespace atelier::evaluate
