// Attention of single queries: every table against differences of the formula in double written here.
#include "kernel/training/query.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "kernel/format.h"
#include "kernel/training/select.h"

namespace atelier::kernel {
namespace {

using Floats = std::vector<float>;
using Brains = std::vector<uint16_t>;

Floats Draw(int64_t n, Rng* rng) {  // numbers that bf16 holds
  Floats x(static_cast<size_t>(n));
  for (float& v : x) v = BFloatToFloat(FloatToBFloat(static_cast<float>(rng->Uniform() * 2 - 1)));
  return x;
}
Brains Narrow(const Floats& x) {
  Brains out;
  for (float v : x) out.push_back(FloatToBFloat(v));
  return out;
}

// One sequence's c for given q, keys, values and v (empty: products).
std::vector<double> Context(const std::vector<double>& q, const std::vector<double>& keys,
                            const std::vector<double>& values, const std::vector<double>& v, std::vector<double>* a) {
  const size_t width = q.size(), length = keys.size() / width;
  double total = 0;
  a->assign(length, 0);
  for (size_t s = 0; s < length; ++s) {
    double score = 0;
    for (size_t c = 0; c < width; ++c) {
      const double k = keys[s * width + c];
      score += v.empty() ? q[c] * k : v[c] * std::tanh(q[c] + k);
    }
    total += (*a)[s] = std::exp(score);
  }
  std::vector<double> context(width);
  for (size_t s = 0; s < length; ++s) {
    (*a)[s] /= total;
    for (size_t c = 0; c < width; ++c) context[c] += (*a)[s] * values[s * width + c];
  }
  return context;
}

class TrainQueries : public testing::TestWithParam<const TrainTable*> {};

TEST_P(TrainQueries, AttendForthAndBack) {
  const TrainTable& table = *GetParam();
  Rng rng(4);
  const int64_t batch = 3, time = 9, lengths[] = {9, 1, 4};
  for (const bool additive : {true, false}) {
    for (const int64_t width : {1, 7, 8, 9, 16, 31, 40}) {
      const Floats q = Draw(batch * width, &rng), v = Draw(width, &rng), d = Draw(batch * width, &rng);
      const Floats keys = Draw(batch * time * width, &rng), values = Draw(batch * time * width, &rng);
      const Brains keys16 = Narrow(keys), values16 = Narrow(values);
      Floats weights(static_cast<size_t>(batch * time), -7), d_scores(weights.size(), -7);
      Floats d_keys(keys.size(), 0.5f), d_values(keys.size(), 0.25f), d_energy(q.size(), 2);
      Brains context(q.size() + 1, 0x7fc0), d_query(q.size() + 1, 0x7fc0);
      const QueryAttention work = {.time = time,
                                   .width = width,
                                   .lengths = lengths,
                                   .query = q.data(),
                                   .keys = keys16.data(),
                                   .values = values16.data(),
                                   .energy = additive ? v.data() : nullptr,
                                   .weights = weights.data(),
                                   .context = context.data(),
                                   .d_context = d.data(),
                                   .d_scores = d_scores.data(),
                                   .d_query = d_query.data(),
                                   .d_keys = d_keys.data(),
                                   .d_values = d_values.data(),
                                   .d_energy = d_energy.data()};
      table.query_forward(&work, 1, batch);
      table.query_forward(&work, 0, 1);
      table.query_backward(&work, 2, batch);
      table.query_backward(&work, 0, 2);
      ASSERT_EQ(context.back(), 0x7fc0);
      ASSERT_EQ(d_query.back(), 0x7fc0);
      for (int64_t b = 0; b < batch; ++b) {
        const auto part = [](const Floats& x, int64_t from, int64_t n) {
          return std::vector<double>(x.begin() + from, x.begin() + from + n);
        };
        const int64_t first = b * time * width, real = lengths[b] * width;
        std::vector<double> inputs[] = {part(q, b * width, width), part(keys, first, real), part(values, first, real),
                                        additive ? part(v, 0, width) : std::vector<double>()};
        std::vector<double> a;
        const std::vector<double> want = Context(inputs[0], inputs[1], inputs[2], inputs[3], &a);
        for (int64_t s = 0; s < time; ++s) {
          const float got = weights[static_cast<size_t>(b * time + s)];
          if (s >= lengths[b]) ASSERT_EQ(got, -7);
          if (s < lengths[b]) ASSERT_NEAR(got, a[static_cast<size_t>(s)], 2e-6);
        }
        for (int64_t c = 0; c < width; ++c) {
          const double got = BFloatToFloat(context[static_cast<size_t>(b * width + c)]);
          ASSERT_NEAR(got, want[static_cast<size_t>(c)], 0.004 * std::abs(got) + 1e-5);
        }
        const auto slope = [&](int input, int64_t i) {
          std::vector<double> unused;
          double sum = 0;
          double& x = inputs[input][static_cast<size_t>(i)];
          const double at = x;
          for (const double step : {1e-5, -1e-5}) {
            x = at + step;
            const auto context_there = Context(inputs[0], inputs[1], inputs[2], inputs[3], &unused);
            for (int64_t c = 0; c < width; ++c)
              sum += context_there[static_cast<size_t>(c)] * d[static_cast<size_t>(b * width + c)] / (2 * step);
          }
          x = at;
          return sum;
        };
        for (int64_t c = 0; c < width; ++c) {
          const size_t at = static_cast<size_t>(b * width + c);
          ASSERT_NEAR(BFloatToFloat(d_query[at]), slope(0, c), 0.004 * std::abs(slope(0, c)) + 1e-5);
          ASSERT_NEAR(d_energy[at], additive ? 2 + slope(3, c) : 2, 2e-5);
        }
        for (int64_t i = 0; i < time * width; ++i) {
          const size_t at = static_cast<size_t>(first + i);
          ASSERT_NEAR(d_keys[at], i < real ? 0.5 + slope(1, i) : 0.5, 2e-5);
          ASSERT_NEAR(d_values[at], i < real ? 0.25 + slope(2, i) : 0.25, 2e-5);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, TrainQueries, testing::ValuesIn(AvailableTrainTables()),
                         [](const auto& each) { return std::string(each.param->name); });

}  // namespace
}  // namespace atelier::kernel
