#include "evaluate/ranking.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace atelier::evaluate {

double RecallAt(const Ranked& ranked, size_t k) {
  if (ranked.total == 0) return 0;
  size_t found = 0;
  for (size_t i = 0; i < std::min(k, ranked.relevant.size()); ++i) found += ranked.relevant[i] > 0;
  return static_cast<double>(found) / static_cast<double>(ranked.total);
}

double ReciprocalRank(const Ranked& ranked) {
  for (size_t i = 0; i < ranked.relevant.size(); ++i) {
    if (ranked.relevant[i] > 0) return 1.0 / static_cast<double>(i + 1);
  }
  return 0;
}

double NdcgAt(const Ranked& ranked, size_t k) {
  double gained = 0, ideal = 0;
  for (size_t i = 0; i < std::min(k, ranked.relevant.size()); ++i) {
    if (ranked.relevant[i] > 0) gained += 1 / std::log2(static_cast<double>(i) + 2);
  }
  for (size_t i = 0; i < std::min(k, ranked.total); ++i) ideal += 1 / std::log2(static_cast<double>(i) + 2);
  return ideal == 0 ? 0 : gained / ideal;
}

double PrecisionAt(const Ranked& ranked, size_t k) {
  size_t found = 0;
  for (size_t i = 0; i < std::min(k, ranked.relevant.size()); ++i) found += ranked.relevant[i] > 0;
  return k == 0 ? 0 : static_cast<double>(found) / static_cast<double>(k);
}

double AveragePrecision(const Ranked& ranked) {
  if (ranked.total == 0) return 0;
  double sum = 0, found = 0;
  for (size_t i = 0; i < ranked.relevant.size(); ++i) {
    if (ranked.relevant[i] > 0) sum += ++found / static_cast<double>(i + 1);
  }
  return sum / static_cast<double>(ranked.total);
}

Ranked RankByScore(std::span<const double> gains, std::span<const double> scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : gains[a] < gains[b]; });
  Ranked ranked;
  for (const size_t i : order) {
    ranked.relevant.push_back(gains[i] > 0 ? 1 : 0);
    ranked.total += gains[i] > 0;
  }
  return ranked;
}

double GradedNdcg(std::span<const double> gains, std::span<const double> scores, size_t k) {
  const size_t n = gains.size(), most = k == 0 ? n : std::min(k, n);
  const auto discount = [most](size_t place) {
    return place < most ? 1 / std::log2(static_cast<double>(place) + 2) : 0;
  };
  std::vector<double> best(gains.begin(), gains.end());
  std::sort(best.begin(), best.end(), std::greater<>());
  double ideal = 0, gained = 0;
  for (size_t i = 0; i < most; ++i) ideal += best[i] * discount(i);
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  for (size_t begin = 0, end = 0; begin < most; begin = end) {
    double gain = 0, discounts = 0;
    while (end < n && scores[order[end]] == scores[order[begin]]) {
      gain += gains[order[end]];
      discounts += discount(end++);
    }
    gained += gain / static_cast<double>(end - begin) * discounts;
  }
  return ideal == 0 ? 0 : gained / ideal;
}

}  // namespace atelier::evaluate
