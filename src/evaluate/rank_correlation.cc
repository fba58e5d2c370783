#include "evaluate/rank_correlation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "evaluate/sums.h"

namespace atelier::evaluate {
namespace {

std::vector<double> Ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + end + 1) / 2;
  }
  return ranks;
}

bool Constant(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [&](double value) { return value == values[0]; });
}

int64_t Pairs(int64_t n) { return n * (n - 1) / 2; }

// Pairs of neighbours that `same` calls equal, in a sorted order.
template <typename Same>
int64_t Ties(size_t n, Same same) {
  int64_t ties = 0;
  for (size_t begin = 0, end = 0; begin < n; begin = end) {
    while (end < n && same(begin, end)) ++end;
    ties += Pairs(static_cast<int64_t>(end - begin));
  }
  return ties;
}

// Sorts and counts the pairs that stood the wrong way round.
int64_t SortCounting(std::span<double> values, std::vector<double>* spare) {
  if (values.size() < 2) return 0;
  const size_t half = values.size() / 2;
  int64_t swaps = SortCounting(values.first(half), spare) + SortCounting(values.subspan(half), spare);
  spare->clear();
  size_t left = 0, right = half;
  while (left < half && right < values.size()) {
    if (values[right] < values[left]) {
      swaps += static_cast<int64_t>(half - left);
      spare->push_back(values[right++]);
    } else {
      spare->push_back(values[left++]);
    }
  }
  spare->insert(spare->end(), values.begin() + static_cast<ptrdiff_t>(left),
                values.begin() + static_cast<ptrdiff_t>(half));
  std::copy(spare->begin(), spare->end(), values.begin());
  return swaps;
}

}  // namespace

double PearsonCorrelation(std::span<const double> a, std::span<const double> b) {
  if (a.size() < 2 || Constant(a) || Constant(b)) return kUndefined;
  const double mean_a = Mean(a), mean_b = Mean(b);
  std::vector<double> products, squares_a, squares_b;
  for (size_t i = 0; i < a.size(); ++i) {
    const double da = a[i] - mean_a, db = b[i] - mean_b;
    products.push_back(da * db);
    squares_a.push_back(da * da);
    squares_b.push_back(db * db);
  }
  const double r = Sum(products) / std::sqrt(Sum(squares_a)) / std::sqrt(Sum(squares_b));
  return std::clamp(r, -1.0, 1.0);
}

double SpearmanCorrelation(std::span<const double> a, std::span<const double> b) {
  return PearsonCorrelation(Ranks(a), Ranks(b));
}

double KendallTauB(std::span<const double> a, std::span<const double> b) {
  if (a.size() < 2 || Constant(a) || Constant(b)) return kUndefined;
  const size_t n = a.size();
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return a[i] != a[j] ? a[i] < a[j] : b[i] < b[j]; });
  const auto same_a = [&](size_t i, size_t j) { return a[order[i]] == a[order[j]]; };
  const int64_t ties_a = Ties(n, same_a);
  const int64_t ties_both = Ties(n, [&](size_t i, size_t j) { return same_a(i, j) && b[order[i]] == b[order[j]]; });
  std::vector<double> values, spare;
  for (const size_t i : order) values.push_back(b[i]);
  const int64_t discordant = SortCounting(values, &spare);
  const int64_t ties_b = Ties(n, [&](size_t i, size_t j) { return values[i] == values[j]; });
  const int64_t all = Pairs(static_cast<int64_t>(n));
  const auto difference = static_cast<double>(all - ties_a - ties_b + ties_both - 2 * discordant);
  const double tau =
      difference / std::sqrt(static_cast<double>(all - ties_a)) / std::sqrt(static_cast<double>(all - ties_b));
  return std::clamp(tau, -1.0, 1.0);
}

}  // namespace atelier::evaluate
