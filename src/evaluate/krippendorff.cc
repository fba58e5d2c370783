#include "evaluate/krippendorff.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace atelier::evaluate {
namespace {

// A category's value and how often it was given.
using Weighted = std::pair<double, double>;

// Squared distances over all ordered pairs of ratings.
double PairDistances(const std::vector<Weighted>& ratings, RatingLevel level) {
  if (ratings.size() < 2) return 0;  // alike: exactly 0, however the mean would round
  double all = 0, sum = 0;
  for (const auto& [value, count] : ratings) {
    all += count;
    sum += value * count;
  }
  double distances = 0;
  switch (level) {
    case RatingLevel::kNominal:
      for (const auto& [value, count] : ratings) distances += count * (all - count);
      return distances;
    case RatingLevel::kOrdinal:
    case RatingLevel::kInterval: {  // twice the count times the squares around the mean
      const double mean = all == 0 ? 0 : sum / all;
      for (const auto& [value, count] : ratings) distances += count * (value - mean) * (value - mean);
      return 2 * all * distances;
    }
    case RatingLevel::kRatio:
      for (size_t i = 0; i < ratings.size(); ++i) {
        for (size_t j = i + 1; j < ratings.size(); ++j) {
          const double whole = ratings[i].first + ratings[j].first;
          const double part = whole == 0 ? 0 : (ratings[i].first - ratings[j].first) / whole;
          distances += 2 * ratings[i].second * ratings[j].second * part * part;
        }
      }
      return distances;
  }
  return distances;
}

}  // namespace

double KrippendorffAlpha(const Ratings& ratings, RatingLevel level) {
  const size_t categories = ratings.categories.size();
  std::vector<double> counts(categories);  // of ratings in items that have at least two
  std::vector<std::vector<int32_t>> items;
  for (size_t item = 0; item < ratings.items(); ++item) {
    std::vector<int32_t> given;
    for (size_t rater = 0; rater < ratings.raters.size(); ++rater) {
      if (ratings.at(item, rater) >= 0) given.push_back(ratings.at(item, rater));
    }
    if (given.size() < 2) continue;
    std::sort(given.begin(), given.end());
    for (const int32_t value : given) ++counts[static_cast<size_t>(value)];
    items.push_back(std::move(given));
  }
  std::vector<double> values(categories);
  double below = 0;
  for (size_t c = 0; c < categories; ++c) {
    // Ratings between two categories, half of each at the ends counted, are the difference of their mean ranks.
    values[c] = level == RatingLevel::kOrdinal   ? below + counts[c] / 2
                : level == RatingLevel::kNominal ? static_cast<double>(c)
                                                 : ratings.numbers[c];
    below += counts[c];
  }
  double observed = 0;
  std::vector<Weighted> weighted;
  for (const std::vector<int32_t>& item : items) {
    weighted.clear();
    for (size_t begin = 0, end = 0; begin < item.size(); begin = end) {
      while (end < item.size() && item[end] == item[begin]) ++end;
      weighted.emplace_back(values[static_cast<size_t>(item[begin])], static_cast<double>(end - begin));
    }
    observed += PairDistances(weighted, level) / static_cast<double>(item.size() - 1);
  }
  weighted.clear();
  for (size_t c = 0; c < categories; ++c) {
    if (counts[c] > 0) weighted.emplace_back(values[c], counts[c]);
  }
  const double expected = PairDistances(weighted, level) / (below - 1);
  return items.empty() || expected == 0 ? std::numeric_limits<double>::quiet_NaN() : 1 - observed / expected;
}

}  // namespace atelier::evaluate
