#include "evaluate/resample.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/rng.h"

namespace atelier::evaluate {
namespace {

// Differences of scores that are equal but for rounding count as equal: scores are at most some hundreds.
constexpr double kRounding = 1e-9;
constexpr size_t kBlock = 4;  // columns that are added at once

// Rows padded with zeros to whole blocks.
struct Padded {
  explicit Padded(const LineCounts& counts) : width((counts.width() + kBlock - 1) / kBlock * kBlock) {
    rows.resize(counts.size() * width);
    for (size_t i = 0; i < counts.size(); ++i) {
      std::copy(counts.row(i).begin(), counts.row(i).end(), rows.begin() + static_cast<int64_t>(i * width));
    }
  }
  size_t width;
  std::vector<int64_t> rows;
};

// The sum of the rows `drawn`.
void AddRows(const Padded& padded, std::span<const uint32_t> drawn, int64_t* sum) {
  for (size_t block = 0; block < padded.width; block += kBlock) {
    const int64_t* rows = padded.rows.data() + block;
    int64_t a = 0, b = 0, c = 0, d = 0;
    for (const uint32_t line : drawn) {
      const int64_t* row = rows + line * padded.width;
      a += row[0];
      b += row[1];
      c += row[2];
      d += row[3];
    }
    sum[block] = a;
    sum[block + 1] = b;
    sum[block + 2] = c;
    sum[block + 3] = d;
  }
}

// The mean of figures: [ScoreUnits, 1].
class DrawnMeans : public SumScore {
 public:
  size_t width() const override { return 2; }
  size_t scores() const override { return 1; }
  double Score(std::span<const int64_t> sum, size_t) const override { return MeanOfUnits(sum[0], sum[1]); }
};

void AddMeansRow(double figure, LineCounts* rows) {
  int64_t* row = rows->Add();
  row[0] = ScoreUnits(figure);
  row[1] = 1;
}

void DrawLines(Rng* rng, std::vector<uint32_t>* drawn) {
  const auto lines = static_cast<uint32_t>(drawn->size());
  const uint32_t passed_over = (0u - lines) % lines;  // 2^32 mod lines: those products would come once more often
  for (size_t i = 0; i < drawn->size();) {
    uint64_t number = rng->Next();
    for (int half = 0; half < 2 && i < drawn->size(); ++half, number >>= 32) {
      const uint64_t product = (number & 0xFFFFFFFFu) * lines;
      if (static_cast<uint32_t>(product) < passed_over) continue;
      (*drawn)[i++] = static_cast<uint32_t>(product >> 32);
    }
  }
}

}  // namespace

Interval IntervalOf(std::vector<double> draws) {
  Interval interval;
  for (const double value : draws) interval.mean += value;
  interval.mean /= static_cast<double>(draws.size());
  std::sort(draws.begin(), draws.end());
  const size_t edge = draws.size() / 40;
  interval.low = draws[edge];
  interval.high = draws[draws.size() - edge - 1];
  return interval;
}

std::vector<Draws> Bootstrap(const SumScore& metric, std::span<const LineCounts* const> systems, int64_t samples,
                             uint64_t seed, const ProgressFn& progress) {
  const size_t scores = metric.scores();
  std::vector<Padded> padded;
  for (const LineCounts* counts : systems) padded.emplace_back(*counts);
  std::vector<Draws> draws(systems.size(), Draws(scores));
  std::vector<uint32_t> drawn(systems[0]->size());
  std::vector<int64_t> sum(padded[0].width);
  Rng rng(seed, "bootstrap");
  for (int64_t sample = 0; sample < samples; ++sample) {
    DrawLines(&rng, &drawn);
    for (size_t s = 0; s < systems.size(); ++s) {
      AddRows(padded[s], drawn, sum.data());
      for (size_t which = 0; which < scores; ++which) {
        draws[s][which].push_back(metric.Score({sum.data(), metric.width()}, which));
      }
    }
    if (progress && sample % 64 == 63) progress(static_cast<uint64_t>(sample + 1), static_cast<uint64_t>(samples), "");
  }
  return draws;
}

double BootstrapP(double difference, std::span<const double> draws, std::span<const double> baseline_draws) {
  double mean = 0;
  for (size_t i = 0; i < draws.size(); ++i) mean += draws[i] - baseline_draws[i];
  mean /= static_cast<double>(draws.size());
  size_t as_far = 0;
  for (size_t i = 0; i < draws.size(); ++i) {
    as_far += std::abs(draws[i] - baseline_draws[i] - mean) >= std::abs(difference) - kRounding;
  }
  return static_cast<double>(as_far + 1) / static_cast<double>(draws.size() + 1);
}

Difference DifferenceOf(double difference, std::span<const double> draws, std::span<const double> baseline_draws) {
  std::vector<double> differences;
  for (size_t i = 0; i < draws.size(); ++i) differences.push_back(draws[i] - baseline_draws[i]);
  const Interval interval = IntervalOf(std::move(differences));
  return {difference, interval.low, interval.high, BootstrapP(difference, draws, baseline_draws)};
}

Difference CompareMeans(std::span<const double> a, std::span<const double> b, int64_t samples, uint64_t seed) {
  const DrawnMeans means;
  LineCounts rows(means.width()), baseline_rows(means.width());
  for (size_t i = 0; i < a.size(); ++i) {
    AddMeansRow(a[i], &rows);
    AddMeansRow(b[i], &baseline_rows);
  }
  const LineCounts* systems[] = {&rows, &baseline_rows};
  const std::vector<Draws> draws = Bootstrap(means, systems, samples, seed);
  return DifferenceOf(means.Score(rows.Sum(), 0) - means.Score(baseline_rows.Sum(), 0), draws[0][0], draws[1][0]);
}

std::vector<double> RandomisationP(const SumScore& metric, const LineCounts& counts, const LineCounts& baseline,
                                   int64_t trials, uint64_t seed, const ProgressFn& progress) {
  const size_t scores = metric.scores(), width = metric.width(), lines = counts.size();
  const std::vector<int64_t> ours = counts.Sum(), theirs = baseline.Sum();
  // What an exchange of each line takes from one system and gives to the other.
  LineCounts exchange(width);
  for (size_t i = 0; i < lines; ++i) {
    int64_t* row = exchange.Add();
    for (size_t j = 0; j < width; ++j) row[j] = baseline.row(i)[j] - counts.row(i)[j];
  }
  const Padded padded(exchange);
  std::vector<double> differences(scores);
  for (size_t which = 0; which < scores; ++which) {
    differences[which] = std::abs(metric.Score(ours, which) - metric.Score(theirs, which));
  }
  std::vector<size_t> as_far(scores);
  std::vector<uint32_t> exchanged;
  std::vector<int64_t> sum(padded.width), a(width), b(width);
  Rng rng(seed, "randomisation");
  for (int64_t trial = 0; trial < trials; ++trial) {
    exchanged.clear();
    for (size_t i = 0; i < lines; i += 64) {
      uint64_t bits = rng.Next();
      if (lines - i < 64) bits &= (uint64_t{1} << (lines - i)) - 1;
      for (; bits != 0; bits &= bits - 1) exchanged.push_back(static_cast<uint32_t>(i) + std::countr_zero(bits));
    }
    AddRows(padded, exchanged, sum.data());
    for (size_t j = 0; j < width; ++j) {
      a[j] = ours[j] + sum[j];
      b[j] = theirs[j] - sum[j];
    }
    for (size_t which = 0; which < scores; ++which) {
      as_far[which] += std::abs(metric.Score(a, which) - metric.Score(b, which)) >= differences[which] - kRounding;
    }
    if (progress && trial % 64 == 63) progress(static_cast<uint64_t>(trial + 1), static_cast<uint64_t>(trials), "");
  }
  std::vector<double> p;
  for (const size_t count : as_far) p.push_back(static_cast<double>(count + 1) / static_cast<double>(trials + 1));
  return p;
}

}  // namespace atelier::evaluate
