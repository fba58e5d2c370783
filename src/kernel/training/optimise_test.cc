// Optimisers, every table against plain double arithmetic written here, over several steps.
#include "kernel/training/optimise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.h"
#include "kernel/format.h"
#include "kernel/training/select.h"

namespace atelier::kernel {
namespace {

using Floats = std::vector<float>;

class TrainOptimisers : public testing::TestWithParam<const TrainTable*> {};

struct State {
  Floats weight, gradient, first, second;
  std::vector<uint16_t> copy;
  std::vector<double> w, m, v;

  State(size_t n, Rng* rng) : weight(n), gradient(n), first(n), second(n), copy(n), m(n), v(n) {
    for (float& x : weight) x = static_cast<float>(rng->Uniform() * 2 - 1);
    w.assign(weight.begin(), weight.end());
  }
  void Draw(Rng* rng, int step) {
    for (size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] = static_cast<float>((rng->Uniform() - 0.5) * (i % 3 == 0 ? 1e-3 : 4));
      if (i % 11 == 5) gradient[i] = 0;
      if (i % 13 == 7) gradient[i] = step == 0 ? 1e-40f : 1e15f;  // not normal, and far too large
    }
  }
  Arena arena(float scale) {
    return {weight.data(), gradient.data(), scale, copy.data(), static_cast<int64_t>(weight.size())};
  }
  void Check(const char* what) {
    for (size_t i = 0; i < weight.size(); ++i) {
      ASSERT_NEAR(weight[i], w[i], 2e-6 * (std::abs(w[i]) + 0.1)) << what << " at " << i;
      ASSERT_EQ(gradient[i], 0) << what;
      ASSERT_NEAR(BFloatToFloat(copy[i]), weight[i], std::abs(weight[i]) * 0.00391 + 1e-37) << what;
      w[i] = weight[i];  // so that each step is judged by itself
    }
  }
};

TEST_P(TrainOptimisers, StepsEqualPlainArithmetic) {
  const TrainTable& table = *GetParam();
  Rng rng(1);
  for (const size_t n : {0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 1000}) {
    State a(n, &rng), s(n, &rng), nesterov(n, &rng), plain(n, &rng), l(n, &rng);
    for (int step = 0; step < 5; ++step) {
      const float scale = step % 2 ? 0.25f : 1;
      AdamW adamw;
      adamw.correction1 = 1 - std::pow(0.9f, static_cast<float>(step + 1));
      adamw.correction2 = 1 - std::pow(0.999f, static_cast<float>(step + 1));
      a.Draw(&rng, step);
      for (size_t i = 0; i < n; ++i) {
        const double g = static_cast<double>(a.gradient[i]) * scale;
        a.m[i] = 0.9f * a.m[i] + (1 - static_cast<double>(0.9f)) * g;
        a.v[i] = 0.999f * a.v[i] + (1 - static_cast<double>(0.999f)) * g * g;
        a.w[i] *= 1 - static_cast<double>(adamw.rate) * adamw.decay;
        a.w[i] -= adamw.rate * (a.m[i] / adamw.correction1) / (std::sqrt(a.v[i] / adamw.correction2) + adamw.epsilon);
      }
      Arena arena = a.arena(scale);
      table.adamw(&arena, &adamw, a.first.data(), a.second.data());
      a.Check("adamw");

      for (State* state : {&s, &nesterov, &plain}) {
        const Sgd sgd{0.1f, state == &plain ? 0 : 0.9f, 0.01f, state == &nesterov};
        state->Draw(&rng, 0);
        for (size_t i = 0; i < n; ++i) {
          const double g = static_cast<double>(state->gradient[i]) * scale;
          state->w[i] *= 1 - static_cast<double>(sgd.rate) * sgd.decay;
          state->m[i] = sgd.momentum * state->m[i] + g;
          state->w[i] -= sgd.rate * (sgd.nesterov ? g + sgd.momentum * state->m[i] : state->m[i]);
        }
        arena = state->arena(scale);
        table.sgd(&arena, &sgd, state == &plain ? nullptr : state->first.data());
        state->Check("sgd");
      }

      const Lion lion{0.01f, 0.9f, 0.99f, 0.1f};
      l.Draw(&rng, 0);
      for (size_t i = 0; i < n; ++i) {
        const double g = static_cast<double>(l.gradient[i]) * scale, m = l.first[i];
        const double way = 0.9f * m + (1 - static_cast<double>(0.9f)) * g;
        l.w[i] -= lion.rate * ((way > 0) - (way < 0) + lion.decay * l.w[i]);
        l.m[i] = 0.99f * m + (1 - static_cast<double>(0.99f)) * g;
      }
      arena = l.arena(scale);
      table.lion(&arena, &lion, l.first.data());
      l.Check("lion");
      for (size_t i = 0; i < n; ++i) ASSERT_NEAR(l.first[i], l.m[i], 1e-6 * (1 + std::abs(l.m[i])));
    }
  }
}

TEST_P(TrainOptimisers, SumOfSquaresIsTakenInPieces) {
  const TrainTable& table = *GetParam();
  Rng rng(2);
  for (const size_t n : {size_t{0}, size_t{1}, size_t{17}, size_t{65535}, size_t{65536}, size_t{200001}}) {
    Floats x(n);
    double want = 0;
    for (float& v : x) v = static_cast<float>(rng.Uniform() - 0.5) * 1e15f;  // squares beyond f32
    for (float v : x) want += static_cast<double>(v) * v;
    const double got = table.sum_squares(x.data(), static_cast<int64_t>(n));
    ASSERT_NEAR(got, want, want * 1e-12);
    double pieces = 0;
    for (size_t at = 0; at < n; at += kSumPiece)
      pieces += table.sum_squares(x.data() + at, static_cast<int64_t>(std::min<size_t>(n - at, kSumPiece)));
    ASSERT_EQ(got, pieces);
  }
  const float ugly[3] = {1, std::numeric_limits<float>::infinity(), 2}, bad[2] = {NAN, 1};
  EXPECT_EQ(table.sum_squares(ugly, 3), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(table.sum_squares(bad, 2)));
}

TEST_P(TrainOptimisers, NotANumberStaysWhereItIs) {
  const TrainTable& table = *GetParam();
  Floats w(20, 1.0f), g(20, 0.5f), m(20), v(20);
  g[13] = NAN;
  Arena arena{w.data(), g.data(), 1, nullptr, 20};
  const AdamW adamw;
  table.adamw(&arena, &adamw, m.data(), v.data());
  const Lion lion;
  g[3] = NAN;
  table.lion(&arena, &lion, v.data());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(std::isnan(w[static_cast<size_t>(i)]), i == 13 || i == 3) << i;
}

INSTANTIATE_TEST_SUITE_P(AllTables, TrainOptimisers, testing::ValuesIn(AvailableTrainTables()),
                         [](const auto& each) { return std::string(each.param->name); });

}  // namespace
}  // namespace atelier::kernel
