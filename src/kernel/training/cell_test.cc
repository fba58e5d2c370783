// Recurrent cells: every table against the reference at all sizes, and the way back against differences of the formulas
// in double written here.
#include "kernel/training/cell.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/rng.h"
#include "kernel/format.h"
#include "kernel/training/select.h"

namespace atelier::kernel {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Brains = std::vector<uint16_t>;

// Numbers that bf16 holds, so that rounding what is kept changes nothing.
Floats Draw(int64_t n, Rng* rng, double size = 3) {
  Floats x(static_cast<size_t>(n));
  for (float& v : x) v = BFloatToFloat(FloatToBFloat(static_cast<float>((rng->Uniform() * 2 - 1) * size)));
  return x;
}
Brains Narrow(const Floats& x) {
  Brains out;
  for (float v : x) out.push_back(FloatToBFloat(v));
  return out;
}
double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

class TrainCells : public testing::TestWithParam<const TrainTable*> {};

// What one unit makes of its inputs.
void Lstm(const double* gates, double c_prev, double* h, double* c) {
  *c = Sigmoid(gates[1]) * c_prev + Sigmoid(gates[0]) * std::tanh(gates[2]);
  *h = Sigmoid(gates[3]) * std::tanh(*c);
}
double Gru(const double* a, const double* b, double h_prev) {
  const double r = Sigmoid(a[0] + b[0]), z = Sigmoid(a[1] + b[1]);
  return (1 - z) * std::tanh(a[2] + r * b[2]) + z * h_prev;
}

double Slope(const std::function<double(double)>& f, double at) { return (f(at + 1e-5) - f(at - 1e-5)) / 2e-5; }

TEST_P(TrainCells, LstmStepsForthAndBack) {
  const TrainTable& table = *GetParam();
  Rng rng(1);
  for (const int64_t batch : {1, 3}) {
    for (const int64_t hidden : {1, 7, 8, 9, 15, 16, 17, 40}) {
      for (const bool first : {false, true}) {
        const Floats gates = Draw(batch * 4 * hidden, &rng, 6), before = Draw(batch * hidden, &rng);
        const Floats above = Draw(batch * (hidden + 3), &rng), after = Draw(batch * hidden, &rng);
        const Floats d_c = Draw(batch * hidden, &rng);
        const Brains above16 = Narrow(above);
        Floats c(before.size() + 1, -7), h(above.size(), -7), dc = d_c;
        Brains kept(gates.size()), h16(h.size(), 0x7fc0), d_gates(gates.size() + 1, 0x7fc0);
        const LstmCell work = {.batch = batch,
                               .hidden = hidden,
                               .gates = gates.data(),
                               .kept = kept.data(),
                               .c_prev = first ? nullptr : before.data(),
                               .c = c.data(),
                               .h = h.data(),
                               .h16 = h16.data(),
                               .h_stride = hidden + 3,
                               .dh16 = above16.data(),
                               .dh16_stride = hidden + 3,
                               .dh = after.data(),
                               .dc = dc.data(),
                               .d_gates = d_gates.data()};
        table.lstm_forward(&work, hidden / 2, hidden);
        table.lstm_forward(&work, 0, hidden / 2);
        table.lstm_backward(&work, hidden / 2, hidden);
        table.lstm_backward(&work, 0, hidden / 2);
        ASSERT_EQ(c.back(), -7);
        ASSERT_EQ(d_gates.back(), 0x7fc0);
        for (int64_t b = 0; b < batch; ++b) {
          for (int64_t u = 0; u < hidden; ++u) {
            const size_t at = static_cast<size_t>(b * hidden + u), out = static_cast<size_t>(b * (hidden + 3) + u);
            double gate[4], want_h, want_c;
            for (int k = 0; k < 4; ++k) gate[k] = gates[static_cast<size_t>((4 * b + k) * hidden + u)];
            const double c_prev = first ? 0 : before[at];
            Lstm(gate, c_prev, &want_h, &want_c);
            ASSERT_NEAR(c[at], want_c, 2e-6);
            ASSERT_NEAR(h[out], want_h, 2e-6);
            ASSERT_NEAR(BFloatToFloat(h16[out]), want_h, 0.002 + 1e-6);
            const auto loss = [&](const double* g, double prev) {
              double hh, cc;
              Lstm(g, prev, &hh, &cc);
              return hh * (static_cast<double>(above[out]) + after[at]) + cc * d_c[at];
            };
            for (int k = 0; k < 4; ++k) {
              const double want = Slope(
                  [&](double x) {
                    double g[4] = {gate[0], gate[1], gate[2], gate[3]};
                    g[k] = x;
                    return loss(g, c_prev);
                  },
                  gate[k]);
              ASSERT_NEAR(BFloatToFloat(d_gates[static_cast<size_t>((4 * b + k) * hidden + u)]), want,
                          0.004 * std::abs(want) + 1e-5)
                  << k;
            }
            const double want = Slope([&](double x) { return loss(gate, x); }, c_prev);
            ASSERT_NEAR(dc[at], want, 1e-5 * (1 + std::abs(want)));
          }
        }
        for (int64_t b = 0; b < batch; ++b) ASSERT_EQ(h[static_cast<size_t>(b * (hidden + 3) + hidden)], -7);
      }
    }
  }
}

TEST_P(TrainCells, GruStepsForthAndBack) {
  const TrainTable& table = *GetParam();
  Rng rng(2);
  for (const int64_t batch : {1, 3}) {
    for (const int64_t hidden : {1, 7, 8, 9, 15, 16, 17, 40}) {
      for (const bool first : {false, true}) {
        const Floats a = Draw(batch * 3 * hidden, &rng, 4), b = Draw(batch * 3 * hidden, &rng, 4);
        const Floats before = Draw(batch * hidden, &rng), above = Draw(batch * (hidden + 3), &rng),
                     after = Draw(batch * hidden, &rng);
        const Brains a16 = Narrow(a), above16 = Narrow(above);
        Floats h(before.size() + 1, -7), dh = after;
        Brains kept(b.size()), h16(above.size(), 0x7fc0), da(a.size() + 1, 0x7fc0), db = da;
        const GruCell work = {.batch = batch,
                              .hidden = hidden,
                              .a = a16.data(),
                              .b = b.data(),
                              .kept = kept.data(),
                              .h_prev = first ? nullptr : before.data(),
                              .h = h.data(),
                              .h16 = h16.data(),
                              .h16_stride = hidden + 3,
                              .dh16 = above16.data(),
                              .dh16_stride = hidden + 3,
                              .dh = dh.data(),
                              .da = da.data(),
                              .db = db.data()};
        table.gru_forward(&work, hidden / 2, hidden);
        table.gru_forward(&work, 0, hidden / 2);
        table.gru_backward(&work, hidden / 2, hidden);
        table.gru_backward(&work, 0, hidden / 2);
        ASSERT_EQ(h.back(), -7);
        ASSERT_EQ(da.back(), 0x7fc0);
        for (int64_t s = 0; s < batch; ++s) {
          for (int64_t u = 0; u < hidden; ++u) {
            const size_t at = static_cast<size_t>(s * hidden + u), out = static_cast<size_t>(s * (hidden + 3) + u);
            double in[6];
            for (int k = 0; k < 3; ++k) {
              in[k] = a[static_cast<size_t>((3 * s + k) * hidden + u)],
              in[3 + k] = b[static_cast<size_t>((3 * s + k) * hidden + u)];
            }
            const double h_prev = first ? 0 : before[at], d = static_cast<double>(above[out]) + after[at];
            const double want_h = Gru(in, in + 3, h_prev);
            ASSERT_NEAR(h[at], want_h, 2e-6);
            ASSERT_NEAR(BFloatToFloat(h16[out]), want_h, std::abs(want_h) * 0.004 + 1e-6);
            for (int k = 0; k < 6; ++k) {
              const double want = d * Slope(
                                          [&](double x) {
                                            double g[6];
                                            std::copy(in, in + 6, g);
                                            g[k] = x;
                                            return Gru(g, g + 3, h_prev);
                                          },
                                          in[k]);
              const Brains& got = k < 3 ? da : db;
              ASSERT_NEAR(BFloatToFloat(got[static_cast<size_t>((3 * s + k % 3) * hidden + u)]), want,
                          0.004 * std::abs(want) + 1e-5)
                  << k;
            }
            ASSERT_NEAR(dh[at], d * Sigmoid(in[1] + in[4]), 1e-5);  // the state's own share
          }
        }
      }
    }
  }
}

TEST_P(TrainCells, HoldAtTheExtremes) {
  const TrainTable& table = *GetParam();
  const Floats gates = {1e30f, 3e38f, -3e38f, 1e9f, -1e30f, -3e38f, 3e38f, INFINITY, 1e5f, 1, -1e5f, NAN};  // [3, 4]
  const Floats before = {2, -3, 4};
  Floats c(3), h(3);
  const LstmCell work = {.batch = 3,
                         .hidden = 1,
                         .gates = gates.data(),
                         .c_prev = before.data(),
                         .c = c.data(),
                         .h = h.data(),
                         .h_stride = 1};
  table.lstm_forward(&work, 0, 1);
  EXPECT_NEAR(c[0], 1, 1e-6);
  EXPECT_NEAR(h[0], std::tanh(1.0f), 1e-6);
  EXPECT_NEAR(c[1], 0, 1e-30);
  EXPECT_NEAR(h[1], 0, 1e-30);
  EXPECT_TRUE(std::isnan(h[2]));
}

INSTANTIATE_TEST_SUITE_P(AllTables, TrainCells, testing::ValuesIn(AvailableTrainTables()),
                         [](const auto& each) { return std::string(each.param->name); });

}  // namespace
}  // namespace atelier::kernel
