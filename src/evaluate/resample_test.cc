#include "evaluate/resample.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/rng.h"
#include "base/str.h"
#include "evaluate/bleu.h"

namespace atelier::evaluate {
namespace {

// A mean of line scores and its half: what ROUGE looks like to the frame.
class Mean : public ReferenceMetric {
 public:
  std::string title() const override { return "mean"; }
  std::vector<std::string> names() const override { return {"mean", "half"}; }
  size_t width() const override { return 2; }
  void Count(std::string_view text, std::span<const std::string_view>, int64_t* counts) override {
    counts[0] = ScoreUnits(*ParseDouble(text));
    counts[1] = 1;
  }
  double Score(std::span<const int64_t> sum, size_t which) const override {
    const double mean = MeanOfUnits(sum[0], sum[1]);
    return which == 0 ? mean : mean / 2;
  }
  std::string Fields(bool) const override { return "what:mean"; }
  std::string version() const override { return "1"; }
};

LineCounts Rows(const std::vector<double>& scores) {
  LineCounts counts(2);
  for (const double score : scores) {
    int64_t* row = counts.Add();
    row[0] = ScoreUnits(score);
    row[1] = 1;
  }
  return counts;
}

double Normal(Rng* rng) {  // near enough
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += rng->Uniform();
  return sum;
}

TEST(Resample, SignatureNamesTheRandomNumbers) {
  EXPECT_EQ(Signature(Mean(), 2, {}), "nrefs:2|what:mean|version:1");
  EXPECT_EQ(Signature(Mean(), 1, {1000, 10000, 7}),
            "nrefs:1|bs:1000|ar:10000|seed:7|rng:splitmix64|what:mean|version:1");
}

TEST(Resample, LinesThatCouldNotBeAddedUpAreRefused) {
  const std::vector<std::string_view> lines(3, "4e6");
  const std::vector<std::vector<std::string_view>> references = {lines};
  Mean mean;
  EXPECT_THROW(CountLines(mean, lines, references), Error);
  EXPECT_EQ(CountLines(mean, std::span(lines).first(2), references).size(), 2u);
}

// The signature promises these very numbers: they may not change with a compiler, a machine or a better idea.
TEST(Resample, DrawsAreTheSameEverywhere) {
  const LineCounts counts = Rows({0, 1, 2, 3, 4, 5, 6}), other = Rows({1, 0.5, 2, 3, 4, 4, 5.5});
  const LineCounts* systems[] = {&counts, &other};
  const auto draws = Bootstrap(Mean(), systems, 4, 12345);
  EXPECT_EQ(draws[0][0].size(), 4u);
  std::vector<int> sevenths;
  for (const double draw : draws[0][0]) sevenths.push_back(static_cast<int>(std::lround(draw * 7)));
  EXPECT_EQ(sevenths, (std::vector<int>{24, 14, 19, 20}));
  EXPECT_DOUBLE_EQ(draws[0][1][0], draws[0][0][0] / 2);
  const auto p = RandomisationP(Mean(), counts, other, 99, 12345);
  EXPECT_DOUBLE_EQ(p[0], 0.78);
}

TEST(Resample, IntervalAgreesWithTheory) {
  Rng rng(5);
  std::vector<double> scores;
  double mean = 0, square = 0;
  for (int i = 0; i < 400; ++i) {
    scores.push_back(0.5 + 0.1 * Normal(&rng));
    mean += scores.back() / 400;
    square += scores.back() * scores.back() / 400;
  }
  const LineCounts counts = Rows(scores);
  const LineCounts* systems[] = {&counts};
  const Interval interval = IntervalOf(Bootstrap(Mean(), systems, 10000, 1)[0][0]);
  const double error = std::sqrt((square - mean * mean) / 400);
  EXPECT_NEAR(interval.mean, mean, 0.1 * error);
  EXPECT_NEAR(interval.low, mean - 1.96 * error, 0.1 * error);
  EXPECT_NEAR(interval.high, mean + 1.96 * error, 0.1 * error);
}

TEST(Resample, EqualSystemsAreNeverDifferent) {
  const LineCounts counts = Rows({0.25, 0.5, 0.75, 1});
  const LineCounts* systems[] = {&counts, &counts};
  const auto draws = Bootstrap(Mean(), systems, 200, 3);
  EXPECT_EQ(BootstrapP(0, draws[0][0], draws[1][0]), 1);
  EXPECT_EQ(RandomisationP(Mean(), counts, counts, 200, 3)[0], 1);
}

// Texts of 600 lines by two systems of one kind: each line is the reference with words lost at `rate`.
struct Pool {
  explicit Pool(double rate_a, double rate_b) : a(10), b(10) {
    Rng rng(11, "pool");
    Bleu bleu(BleuOptions{.tokenize = "none"});
    for (int line = 0; line < 600; ++line) {
      std::vector<std::string> words;
      for (uint64_t i = 0, n = 5 + rng.Below(25); i < n; ++i) words.push_back(Cat("w", rng.Below(300)));
      const std::string reference = Join(words, " ");
      const std::string_view references[] = {reference};
      const auto lose = [&](double rate, LineCounts* counts) {
        std::vector<std::string> text = words;
        for (std::string& word : text) {
          if (rng.Uniform() < rate) word = Cat("x", rng.Below(300));
        }
        bleu.Count(Join(text, " "), references, counts->Add());
      };
      lose(rate_a, &a);
      lose(rate_b, &b);
    }
  }
  LineCounts a, b;
};

// How many of `pairs` pairs of samples of the pool are called different at the level of 5 %.
struct Found {
  int bootstrap = 0, randomisation = 0;
  double difference = 0;  // mean
};
Found Tests(const Pool& pool, int pairs, size_t lines, bool exchange) {
  const Bleu bleu(BleuOptions{});
  Found found;
  Rng rng(12, "pairs");
  for (int pair = 0; pair < pairs; ++pair) {
    LineCounts a(10), b(10);
    for (size_t i = 0; i < lines; ++i) {
      const size_t line = rng.Below(pool.a.size());
      const bool swap = exchange && (rng.Next() & 1);
      const auto first = (swap ? pool.b : pool.a).row(line), second = (swap ? pool.a : pool.b).row(line);
      std::copy(first.begin(), first.end(), a.Add());
      std::copy(second.begin(), second.end(), b.Add());
    }
    const double difference = bleu.Score(a.Sum(), 0) - bleu.Score(b.Sum(), 0);
    found.difference += difference / pairs;
    const LineCounts* systems[] = {&a, &b};
    const auto draws = Bootstrap(bleu, systems, 400, static_cast<uint64_t>(pair));
    found.bootstrap += BootstrapP(difference, draws[0][0], draws[1][0]) < 0.05;
    found.randomisation += RandomisationP(bleu, a, b, 400, static_cast<uint64_t>(pair))[0] < 0.05;
  }
  return found;
}

TEST(Resample, PairsOfOneSystemAreCalledDifferentAtMostAsOftenAsTheLevelSays) {
  const Found found = Tests(Pool(0.3, 0.3), 2000, 200, true);
  RecordProperty("bootstrap", found.bootstrap);
  RecordProperty("randomisation", found.randomisation);
  EXPECT_LE(found.bootstrap, 100);
  EXPECT_LE(found.randomisation, 100);
  EXPECT_GE(found.bootstrap, 50);  // a test that never speaks would pass the lines above
  EXPECT_GE(found.randomisation, 50);
}

// 5 points of BLEU on 400 lines, between systems whose faults are nowhere the same.
TEST(Resample, APlantedDifferenceIsFound) {
  const Found found = Tests(Pool(0.30, 0.33), 100, 400, false);
  EXPECT_GT(found.difference, 4);
  EXPECT_LT(found.difference, 6);
  EXPECT_GE(found.bootstrap, 95);
  EXPECT_GE(found.randomisation, 95);
}

TEST(Resample, MeansOfPairsKnowNoiseFromAGain) {
  std::vector<double> a, b, c;
  for (int i = 0; i < 80; ++i) {
    b.push_back((i * 37 % 100) / 100.0);
    a.push_back(b.back() + 0.1);
    c.push_back(b.back() + (i % 2 == 0 ? 0.2 : -0.2));
  }
  const Difference gain = CompareMeans(a, b), noise = CompareMeans(c, b), loss = CompareMeans(b, a);
  EXPECT_NEAR(gain.difference, 0.1, 1e-12);
  EXPECT_DOUBLE_EQ(gain.p, 1.0 / 10001);
  EXPECT_GT(gain.low, 0);
  EXPECT_GT(noise.p, 0.6);  // two-sided
  EXPECT_LT(noise.low, 0);
  EXPECT_GT(noise.high, 0);
  EXPECT_DOUBLE_EQ(loss.p, gain.p);
  EXPECT_LT(loss.high, 0);
  EXPECT_EQ(CompareMeans(c, b).low, noise.low);  // the same draws each time
}

}  // namespace
}  // namespace atelier::evaluate
