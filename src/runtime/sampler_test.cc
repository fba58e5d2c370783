// Draws against exact probabilities computed here in doubles: the seeds are fixed, so a test that passes goes on
// passing.
#include "runtime/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "base/error.h"
#include "kernel/select.h"

// Designated initialisers that leave the rest at their defaults are the point here.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace atelier::runtime {
namespace {

using artefact::Sampling;
using artefact::TokenLogprob;
constexpr float kInf = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<double> Softmax(const std::vector<float>& logits, double temperature = 1) {
  std::vector<double> p;
  const float most = *std::max_element(logits.begin(), logits.end());
  for (float logit : logits) p.push_back(std::exp((static_cast<double>(logit) - most) / temperature));
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& value : p) value /= sum;
  return p;
}

// How often each token was drawn in `draws` tries.
std::vector<int> Draws(const Sampling& settings, const std::vector<float>& logits, int draws,
                       std::vector<int32_t> context = {}, size_t reply = 0) {
  Sampler sampler(settings, 42, 0, static_cast<int64_t>(logits.size()), kernel::BestTable());
  std::vector<int> counts(logits.size());
  for (int i = 0; i < draws; ++i) {
    std::vector<float> copy = logits;
    ++counts[static_cast<size_t>(sampler.Pick(copy.data(), context, reply, 0, nullptr))];
  }
  return counts;
}

// Pearson's statistic, over the tokens that may come; those that may not must not.
double ChiSquare(const std::vector<int>& counts, const std::vector<double>& p) {
  const double draws = std::accumulate(counts.begin(), counts.end(), 0);
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (p[i] == 0) {
      EXPECT_EQ(counts[i], 0) << "token " << i;
    } else {
      sum += std::pow(counts[i] - draws * p[i], 2) / (draws * p[i]);
    }
  }
  return sum;
}

std::vector<double> Only(std::vector<double> p, const std::set<size_t>& kept) {
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) sum += kept.contains(i) ? p[i] : 0;
  for (size_t i = 0; i < p.size(); ++i) p[i] = kept.contains(i) ? p[i] / sum : 0;
  return p;
}

// ln of .30 .05 .25 .10 .02 .20 .03 .05, moved by a constant
const std::vector<double> kP = {0.30, 0.05, 0.25, 0.10, 0.02, 0.20, 0.03, 0.05};
std::vector<float> Logits() {
  std::vector<float> out;
  for (double p : kP) out.push_back(static_cast<float>(std::log(p) + 3));
  return out;
}
constexpr int kDraws = 40000;
constexpr double kMost = 26;  // chi-square with 7 degrees of freedom exceeds it once in 2000

TEST(Sampler, DrawsFromTheModelsDistribution) {
  EXPECT_LT(ChiSquare(Draws({}, Logits(), kDraws), kP), kMost);
  for (double temperature : {0.3, 0.7, 1.5, 4.0}) {
    EXPECT_LT(ChiSquare(Draws({.temperature = temperature}, Logits(), kDraws), Softmax(Logits(), temperature)), kMost)
        << temperature;
  }
  EXPECT_GT(ChiSquare(Draws({.temperature = 1.1}, Logits(), kDraws), kP), kMost);  // the statistic can tell
}

TEST(Sampler, KeepsExactlyTheSetsAskedFor) {
  const auto near = [](const Sampling& settings, const std::set<size_t>& kept) {
    EXPECT_LT(ChiSquare(Draws(settings, Logits(), kDraws), Only(kP, kept)), kMost);
  };
  near({.top_k = 3}, {0, 2, 5});
  near({.top_k = 1}, {0});
  near({.top_k = 6}, {0, 1, 2, 3, 5, 7});
  near({.top_k = 5}, {0, 1, 2, 3, 5});  // 1 and 7 tie: the lower id stays
  near({.top_k = 100}, {0, 1, 2, 3, 4, 5, 6, 7});
  near({.top_p = 0.2}, {0});
  near({.top_p = 0.54}, {0, 2});
  near({.top_p = 0.56}, {0, 2, 5});
  near({.top_p = 0.86}, {0, 1, 2, 3, 5});
  near({.min_p = 0.6}, {0, 2, 5});
  near({.min_p = 1}, {0});
  near({.min_p = 0.15}, {0, 1, 2, 3, 5, 7});
  near({.top_k = 3, .top_p = 0.7}, {0, 2});           // of what top-k left, .30 and .25 are 73 %
  near({.top_p = 0.56, .min_p = 0.5}, {0, 2, 5});     // top-p's mass counts what min-p will drop
  near({.top_p = 0.99, .min_p = 0.3}, {0, 2, 3, 5});  // and min-p still drops
}

TEST(Sampler, AZeroTemperatureTakesTheLikeliestAndOfTiesTheFirst) {
  EXPECT_EQ(Draws({.temperature = 0}, {1, 3, 2, 3}, 20), (std::vector<int>{0, 20, 0, 0}));
  EXPECT_EQ(Draws({.temperature = 1e-9}, {1, 3, 2, 2.5f}, 20), (std::vector<int>{0, 20, 0, 0}));
  const std::vector<int> ties = Draws({.temperature = 1e-9}, {1, 3, 2, 3}, 1000);
  EXPECT_GT(ties[1], 400);
  EXPECT_GT(ties[3], 400);
}

TEST(Sampler, PenaltiesAndBiasesAreTheirFormulas) {
  const std::vector<float> logits = Logits();
  const std::vector<int32_t> context = {5, 0, 0, 3, 2, 2, 2};  // the last four are the reply
  const auto penalised = [&](const std::function<float(size_t, float)>& formula) {
    std::vector<float> out = logits;
    for (size_t i = 0; i < out.size(); ++i) out[i] = formula(i, out[i]);
    return Softmax(out);
  };
  const auto divided = [](float logit, float by) { return logit > 0 ? logit / by : logit * by; };
  EXPECT_LT(ChiSquare(Draws({.repetition_penalty = 1.8}, logits, kDraws, context, 4), penalised([&](size_t i, float x) {
                        return i == 5 || i == 0 || i == 3 || i == 2 ? divided(x, 1.8f) : x;
                      })),
            kMost);
  EXPECT_LT(ChiSquare(Draws({.repetition_penalty = 1.8, .penalty_window = 4}, logits, kDraws, context, 4),
                      penalised([&](size_t i, float x) { return i == 3 || i == 2 ? divided(x, 1.8f) : x; })),
            kMost);
  EXPECT_LT(ChiSquare(Draws({.presence_penalty = 0.7, .frequency_penalty = 0.4}, logits, kDraws, context, 4),
                      penalised([&](size_t i, float x) { return i == 2   ? x - 0.7f - 1.2f
                                                                : i == 3 ? x - 1.1f
                                                                         : x; })),
            kMost);
  EXPECT_LT(ChiSquare(Draws({.frequency_penalty = 0.4, .penalty_window = 2}, logits, kDraws, context, 4),
                      penalised([&](size_t i, float x) { return i == 2 ? x - 0.8f : x; })),
            kMost);
  EXPECT_LT(ChiSquare(Draws({.repetition_penalty = 1.8, .presence_penalty = 1, .penalty_window = 0}, logits, kDraws,
                            context, 4),
                      kP),
            kMost);
  EXPECT_LT(ChiSquare(Draws({.logit_bias = {{4, 2.5f}, {0, -1.0f}}}, logits, kDraws), penalised([](size_t i, float x) {
                        return i == 4 ? x + 2.5f : i == 0 ? x - 1 : x;
                      })),
            kMost);
  EXPECT_EQ(Draws({.logit_bias = {{0, -kInf}, {2, -kInf}, {5, -kInf}}}, logits, 5000)[0], 0);
  EXPECT_EQ(Draws({.logit_bias = {{4, kInf}}}, logits, 50)[4], 50);
  // Negative logits are multiplied: a penalty never makes a token likelier.
  EXPECT_LT(Draws({.repetition_penalty = 3}, {-1, -1}, 1000, {0}, 1)[0], 250);
}

TEST(Sampler, StreamsAreTheirOwnAndRepeatable) {
  const std::vector<float> logits(100, 0.0f);
  const auto draw = [&](uint64_t seed, int index) {
    Sampler sampler({}, seed, index, 100, kernel::BestTable());
    std::vector<int32_t> out;
    for (int i = 0; i < 20; ++i) {
      std::vector<float> copy = logits;
      out.push_back(sampler.Pick(copy.data(), {}, 0, 0, nullptr));
    }
    return out;
  };
  std::set<std::vector<int32_t>> all;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    for (int index = 0; index < 5; ++index) {
      EXPECT_EQ(draw(seed, index), draw(seed, index));
      all.insert(draw(seed, index));
    }
  }
  EXPECT_EQ(all.size(), 25u);
}

class SamplerTables : public testing::TestWithParam<const kernel::Table*> {};
INSTANTIATE_TEST_SUITE_P(Isa, SamplerTables, testing::ValuesIn(kernel::AvailableTables()),
                         [](const auto& tested) { return std::string(tested.param->name); });

TEST_P(SamplerTables, LogprobsAreTheModelsOwn) {
  Rng rng(7);
  for (int64_t vocab : {1, 2, 15, 16, 17, 1000}) {
    std::vector<float> logits(static_cast<size_t>(vocab));
    for (float& logit : logits) logit = static_cast<float>(rng.Uniform() * 20 - 10);
    const std::vector<double> p = Softmax(logits);
    const Sampling settings{.temperature = 0.5, .top_k = 4, .repetition_penalty = 1.5, .logit_bias = {{0, 4.0f}}};
    Sampler sampler(settings, 1, 0, vocab, *GetParam());
    for (int i = 0; i < 10; ++i) {
      std::vector<float> copy = logits;
      TokenLogprob logprob;
      const std::vector<int32_t> context = {0};
      const int32_t token = sampler.Pick(copy.data(), context, 1, 5, &logprob);
      ASSERT_EQ(logprob.token, token);
      ASSERT_NEAR(logprob.logprob, std::log(p[static_cast<size_t>(token)]), 1e-5);
      ASSERT_EQ(logprob.top.size(), static_cast<size_t>(std::min<int64_t>(5, vocab)));
      std::vector<double> sorted = p;
      std::sort(sorted.rbegin(), sorted.rend());
      for (size_t k = 0; k < logprob.top.size(); ++k) {
        ASSERT_NEAR(logprob.top[k].second, std::log(sorted[k]), 1e-5);
        ASSERT_NEAR(p[static_cast<size_t>(logprob.top[k].first)], sorted[k], 1e-12);
      }
    }
  }
}

TEST_P(SamplerTables, BrokenLogitsAreImpossible) {
  const auto pick = [&](std::vector<float> logits, double temperature) {
    TokenLogprob logprob;
    Sampler sampler({.temperature = temperature}, 3, 0, static_cast<int64_t>(logits.size()), *GetParam());
    const int32_t token = sampler.Pick(logits.data(), {}, 0, 3, &logprob);
    EXPECT_EQ(token, logprob.token);
    EXPECT_FALSE(std::isnan(logprob.logprob));
    for (const auto& [id, value] : logprob.top) EXPECT_FALSE(std::isnan(value)) << id;
    return logprob;
  };
  for (double temperature : {0.0, 1.0}) {
    EXPECT_EQ(pick({kNaN, 1, kNaN, -kInf}, temperature).token, 1);
    EXPECT_EQ(pick({kNaN, 1, kNaN, -kInf}, temperature).logprob, 0);
    EXPECT_EQ(pick({5, kInf, 2, kNaN}, temperature).token, 1);
    EXPECT_EQ(pick({5, kInf, 2, kNaN}, temperature).logprob, 0);
    EXPECT_EQ(pick({kNaN, kNaN, kNaN}, temperature).token, 0);
    EXPECT_EQ(pick({kNaN, kNaN, kNaN}, temperature).logprob, -kInf);
    EXPECT_EQ(pick({-kInf, -kInf}, temperature).token, 0);
    EXPECT_EQ(pick({-3.4e38f, 3.4e38f, 0}, temperature).token, 1);
    EXPECT_EQ(pick({-3.4e38f, -3.3e38f}, temperature).token, 1);
  }
}

TEST(Sampler, SettingsOutOfRangeAreNamed) {
  const auto refused = [](const Sampling& settings) {
    try {
      Validate(settings, 10);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidInput);
      return error.Line();
    }
    return std::string("fine");
  };
  EXPECT_EQ(refused({}), "fine");
  EXPECT_EQ(refused({.temperature = -1}), "temperature is -1 (it may be from 0 to 100)");
  EXPECT_EQ(refused({.top_p = 0}), "top_p is 0 (it may be above 0, at most 1)");
  for (const auto& [settings, name] :
       std::vector<std::pair<Sampling, std::string>>{{{.temperature = std::nan("")}, "temperature"},
                                                     {{.temperature = 101}, "temperature"},
                                                     {{.top_k = -1}, "top_k"},
                                                     {{.top_p = 1.01}, "top_p"},
                                                     {{.top_p = std::nan("")}, "top_p"},
                                                     {{.min_p = -0.1}, "min_p"},
                                                     {{.min_p = 2}, "min_p"},
                                                     {{.repetition_penalty = 0}, "repetition_penalty"},
                                                     {{.presence_penalty = std::nan("")}, "presence_penalty"},
                                                     {{.frequency_penalty = 1e9}, "frequency_penalty"},
                                                     {{.penalty_window = -1}, "penalty_window"},
                                                     {{.logit_bias = {{10, 1.0f}}}, "logit_bias"},
                                                     {{.logit_bias = {{-1, 1.0f}}}, "logit_bias"},
                                                     {{.logit_bias = {{1, kNaN}}}, "logit_bias"}}) {
    EXPECT_TRUE(refused(settings).starts_with(name)) << refused(settings);
  }
}

TEST(Sampler, AMaskHolds) {
  std::vector<float> logits(70, 5);
  logits[3] = -kInf;
  logits[68] = kNaN;
  TokenMask mask{{uint64_t{1} << 3 | uint64_t{1} << 40, uint64_t{1} << 4}, 3};
  std::map<int32_t, int> drawn;
  Sampler sampler({.temperature = 1.5}, 7, 0, 70, kernel::BestTable());
  for (int i = 0; i < 200; ++i) {
    std::vector<float> copy = logits;
    TokenLogprob logprob;
    ++drawn[sampler.Pick(copy.data(), {}, 0, 0, &logprob, &mask)];
    EXPECT_NEAR(logprob.logprob, -std::log(68.0), 1e-3);  // of the model's own distribution
  }
  EXPECT_EQ(drawn.size(), 1u);  // the only one of the three that the model thinks possible
  EXPECT_EQ(drawn[40], 200);
  mask = {{uint64_t{1} << 3, 0}, 1};
  std::vector<float> copy = logits;
  EXPECT_EQ(sampler.Pick(copy.data(), {}, 0, 0, nullptr, &mask), 3);  // impossible, but nothing else is allowed
  mask = {{0, uint64_t{1} << 2 | uint64_t{1} << 5}, 2};
  Sampler greedy({.temperature = 0, .logit_bias = {{0, 50}}}, 7, 0, 70, kernel::BestTable());
  copy = logits;
  copy[69] = 6;
  EXPECT_EQ(greedy.Pick(copy.data(), {}, 0, 0, nullptr, &mask), 69);
}

}  // namespace
}  // namespace atelier::runtime
