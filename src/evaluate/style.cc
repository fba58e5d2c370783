#include "evaluate/style.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/rng.h"
#include "evaluate/embed_texts.h"
#include "evaluate/sums.h"

namespace atelier::evaluate {
namespace {

constexpr size_t kNobody = static_cast<size_t>(-1);
constexpr size_t kDraws = 10000;

std::vector<double> Sum(const UnitRows& rows) {
  std::vector<double> sum(rows.dims);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t d = 0; d < rows.dims; ++d) sum[d] += rows.row(i)[d];
  }
  return sum;
}

double Cosine(const float* a, const std::vector<double>& b) {
  double dot = 0, square = 0, own = 0;
  for (size_t d = 0; d < b.size(); ++d) {
    dot += a[d] * b[d];
    square += b[d] * b[d];
    own += static_cast<double>(a[d]) * a[d];
  }
  return square * own > 1e-18 ? dot / std::sqrt(square * own) : 0;
}

// Of text i to the k nearest of the house, without the house's `self(i)`.
template <typename Self>
std::vector<double> NearestOf(const UnitRows& texts, const UnitRows& house, size_t k, const Self& self,
                              ThreadPool* threads, const ProgressFn& progress) {
  std::vector<double> out(texts.size());
  constexpr size_t kTogether = 1024;  // between two words of progress
  for (size_t from = 0; from < texts.size(); from += kTogether) {
    const size_t to = std::min(texts.size(), from + kTogether);
    std::atomic<size_t> next{from};
    threads->Run([&](int) {
      std::vector<double> cosines;
      for (size_t i = next++; i < to; i = next++) {
        cosines.clear();
        for (size_t j = 0; j < house.size(); ++j) {
          if (j != self(i)) cosines.push_back(Dot(texts.row(i), house.row(j), house.dims));
        }
        const size_t most = std::min(k, cosines.size());
        std::partial_sort(cosines.begin(), cosines.begin() + static_cast<int64_t>(most), cosines.end(),
                          std::greater<>());
        double sum = 0;
        for (size_t n = 0; n < most; ++n) sum += cosines[n];
        out[i] = most > 0 ? sum / static_cast<double>(most) : 0;
      }
    });
    if (progress) progress(to, texts.size(), "");
  }
  return out;
}

}  // namespace

std::vector<double> ToMiddle(const UnitRows& texts, const UnitRows& house) {
  const std::vector<double> sum = Sum(house);
  std::vector<double> out;
  for (size_t i = 0; i < texts.size(); ++i) out.push_back(Cosine(texts.row(i), sum));
  return out;
}

std::vector<double> ToMiddleWithoutSelf(const UnitRows& house) {
  const std::vector<double> sum = Sum(house);
  std::vector<double> out, others(house.dims);
  for (size_t i = 0; i < house.size(); ++i) {
    for (size_t d = 0; d < house.dims; ++d) others[d] = sum[d] - house.row(i)[d];
    out.push_back(Cosine(house.row(i), others));
  }
  return out;
}

std::vector<double> ToNearest(const UnitRows& texts, const UnitRows& house, size_t k, ThreadPool* threads,
                              const ProgressFn& progress) {
  return NearestOf(
      texts, house, k, [](size_t) { return kNobody; }, threads, progress);
}

std::vector<double> ToNearestWithoutSelf(const UnitRows& house, size_t k, ThreadPool* threads,
                                         const ProgressFn& progress) {
  return NearestOf(
      house, house, k, [](size_t i) { return i; }, threads, progress);
}

double Spread(const UnitRows& texts) {
  double square = 0, own = 0;
  for (const double value : Sum(texts)) square += value * value;
  for (size_t i = 0; i < texts.size(); ++i) own += Dot(texts.row(i), texts.row(i), texts.dims);
  const auto n = static_cast<double>(texts.size());
  return 1 - (square - own) / (n * (n - 1));
}

Likeness CompareToHouse(std::span<const double> nearness, std::span<const double> house) {
  std::vector<double> sorted(house.begin(), house.end());
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  Likeness out;
  out.mean = Mean(nearness);
  out.house_mean = Mean(house);
  for (const double value : nearness) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    const auto below = static_cast<double>(first - sorted.begin()), equal = static_cast<double>(last - first);
    out.percentiles.push_back((below + equal / 2) / n);
    out.p.push_back((1 + below + equal) / (n + 1));
  }
  out.percentile = Mean(out.percentiles);
  Rng rng(1, "style");
  std::vector<double> draws;
  const size_t lines = nearness.size(), most = std::max<size_t>(200, std::min(kDraws, size_t{50'000'000} / lines));
  for (size_t draw = 0; draw < most; ++draw) {
    double sum = 0;
    for (size_t i = 0; i < lines; ++i) sum += out.percentiles[rng.Below(lines)];
    draws.push_back(sum / static_cast<double>(lines));
  }
  std::sort(draws.begin(), draws.end());
  out.low = draws[draws.size() / 40];
  out.high = draws[draws.size() - 1 - draws.size() / 40];
  return out;
}

}  // namespace atelier::evaluate
