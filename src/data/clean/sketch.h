// Quantiles of a stream of numbers in bounded memory: exact up to kExact values, from then on a sketch after Karnin,
// Lang and Liberty (2016, "KLL"), with two differences: compaction keeps the even or the odd places by turns instead
// of by a coin, so that the same stream gives the same sketch; and the levels are all equally large (2^16), which costs
// 0.5 MiB per doubling of the stream and keeps the rank error below log2(n / 2^20) * 2^-16 of n, 0.01 % at a billion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace atelier::data::clean {

class Sketch {
 public:
  static constexpr size_t kExact = 1u << 20;
  static constexpr size_t kLevel = 1u << 16;

  void Add(double value);  // REQUIRES: finite
  uint64_t size() const { return count_; }
  bool exact() const { return levels_.empty(); }

  // The quantile as numpy's linear interpolation gives it, q in [0, 1]. REQUIRES: size() > 0.
  double Quantile(double q) const;
  // The median of |x - centre|.
  double MedianDistance(double centre) const;

 private:
  using Weighted = std::vector<std::pair<double, uint64_t>>;
  Weighted Values() const;  // sorted
  static double QuantileOf(const Weighted& values, uint64_t total, double q);
  void Compact(size_t level);

  uint64_t count_ = 0;
  std::vector<double> buffer_;               // weight 1
  std::vector<std::vector<double>> levels_;  // level i holds values of weight 2^(i+1)
  std::vector<bool> odd_;                    // which places the next compaction into level i keeps
};

// Mean and variance in one pass (Welford 1962), smallest and largest value.
struct Moments {
  uint64_t count = 0;
  double mean = 0, squares = 0, least = 0, most = 0;
  void Add(double value);
  double Variance() const { return count == 0 ? 0 : squares / static_cast<double>(count); }  // of the population
};

}  // namespace atelier::data::clean
