// Normalisation, gates and dropout: every table against plain arithmetic, and the way back against differences of it.
#include "kernel/training/norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.h"
#include "kernel/format.h"
#include "kernel/training/select.h"

namespace atelier::kernel {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Brains = std::vector<uint16_t>;

Floats Draw(int64_t n, Rng* rng, double size = 2) {
  Floats x(static_cast<size_t>(n));
  for (float& v : x) v = static_cast<float>((rng->Uniform() * 2 - 1) * size);
  return x;
}
Brains Narrow(const Floats& x) {
  Brains out;
  for (float v : x) out.push_back(FloatToBFloat(v));
  return out;
}

class TrainNorms : public testing::TestWithParam<const TrainTable*> {};

// In double: the outputs of rows.
Doubles Plain(const Doubles& x, const Doubles& weight, const Doubles& bias, size_t cols, bool rms) {
  Doubles y(x.size());
  for (size_t row = 0; row < x.size(); row += cols) {
    double mean = 0, variance = 0;
    for (size_t c = 0; c < cols && !rms; ++c) mean += x[row + c] / static_cast<double>(cols);
    for (size_t c = 0; c < cols; ++c) variance += (x[row + c] - mean) * (x[row + c] - mean) / static_cast<double>(cols);
    for (size_t c = 0; c < cols; ++c)
      y[row + c] = (x[row + c] - mean) / std::sqrt(variance + 1e-5) * weight[c] + bias[c];
  }
  return y;
}

TEST_P(TrainNorms, ForwardAndBackwardEqualPlainArithmetic) {
  const TrainTable& table = *GetParam();
  Rng rng(1);
  for (const bool rms : {false, true}) {
    for (const int64_t rows : {1, 3, 64, 65, 130}) {
      for (const int64_t cols : {1, 2, 7, 8, 15, 16, 17, 33, 100}) {
        const Floats x = Draw(rows * cols, &rng), branch = Draw(rows * cols, &rng), weight = Draw(cols, &rng);
        const Floats bias = Draw(cols, &rng), dy = Draw(rows * cols, &rng), d_sum = Draw(rows * cols, &rng);
        const Brains branch16 = Narrow(branch), dy16 = Narrow(dy);
        Floats sum(x.size() + 1, -7), y(sum), dx(sum), mean(static_cast<size_t>(rows)), inverse(mean);
        Brains y16(y.size(), 0x7fc0), dx16(y16);
        Floats d_weight(static_cast<size_t>(NormBlocks(rows) * cols), NAN), d_bias(d_weight);
        RowNorm work = {.rows = rows,
                        .cols = cols,
                        .rms = rms,
                        .weight = weight.data(),
                        .bias = bias.data(),
                        .x = x.data(),
                        .branch = branch16.data(),
                        .sum = sum.data(),
                        .y = y.data(),
                        .y16 = y16.data(),
                        .mean = mean.data(),
                        .inverse = inverse.data()};
        table.norm_forward(&work, 0, rows / 2);
        table.norm_forward(&work, rows / 2, rows);
        Doubles s(x.size());
        for (size_t i = 0; i < s.size(); ++i) s[i] = static_cast<double>(x[i]) + BFloatToFloat(branch16[i]);
        const Doubles w(weight.begin(), weight.end()), b(bias.begin(), bias.end());
        const Doubles want = Plain(s, w, b, static_cast<size_t>(cols), rms);
        for (size_t i = 0; i < s.size(); ++i) {
          ASSERT_NEAR(sum[i], s[i], 1e-6 * 4);
          ASSERT_NEAR(y[i], want[i], 1e-4 * (1 + std::abs(want[i]))) << rows << " " << cols;
          ASSERT_NEAR(BFloatToFloat(y16[i]), y[i], std::abs(y[i]) * 0.004 + 1e-6);
        }
        ASSERT_EQ(y.back(), -7);
        ASSERT_EQ(y16.back(), 0x7fc0);

        work = {.rows = rows,
                .cols = cols,
                .rms = rms,
                .weight = weight.data(),
                .x = sum.data(),
                .mean = mean.data(),
                .inverse = inverse.data(),
                .dy16 = dy16.data(),
                .d_sum = d_sum.data(),
                .dx = dx.data(),
                .dx16 = dx16.data(),
                .d_weight = d_weight.data(),
                .d_bias = d_bias.data()};
        for (int64_t block = NormBlocks(rows) - 1; block >= 0; --block) table.norm_backward(&work, block, block + 1);
        Floats sums_w(static_cast<size_t>(cols), 1), sums_b(sums_w);
        table.sum_rows(d_weight.data(), NormBlocks(rows), cols, 0, cols, sums_w.data());
        table.sum_rows(d_bias.data(), NormBlocks(rows), cols, 0, cols / 2, sums_b.data());
        table.sum_rows(d_bias.data(), NormBlocks(rows), cols, cols / 2, cols, sums_b.data());
        for (int64_t c = 0; c < cols; ++c) {
          double want_w = 1, want_b = 1, size = 1;
          for (int64_t r = 0; r < rows; ++r) {
            const size_t i = static_cast<size_t>(r * cols + c);
            const double d = BFloatToFloat(dy16[i]);
            want_w += d * (want[i] - b[static_cast<size_t>(c)]) / w[static_cast<size_t>(c)];
            want_b += d, size += std::abs(d);
          }
          ASSERT_NEAR(sums_w[static_cast<size_t>(c)], want_w, 3e-4 * size);
          ASSERT_NEAR(sums_b[static_cast<size_t>(c)], want_b, 1e-6 * size);
        }
        for (int64_t r = 0; r < rows; ++r) {
          Doubles way(s.size());  // moves this row only
          double along = 0, size = 0, loss[2] = {};
          for (int64_t c = 0; c < cols; ++c) {
            const size_t i = static_cast<size_t>(r * cols + c);
            way[i] = rng.Uniform() * 2 - 1;
            along += way[i] * (static_cast<double>(dx[i]) - d_sum[i]);
            size += std::abs(way[i] * dx[i]) + std::abs(way[i] * d_sum[i]);
            ASSERT_NEAR(BFloatToFloat(dx16[i]), dx[i], std::abs(dx[i]) * 0.004 + 1e-6);
          }
          for (const int sign : {0, 1}) {
            Doubles moved(s.begin() + r * cols, s.begin() + (r + 1) * cols);
            for (int64_t c = 0; c < cols; ++c)
              moved[static_cast<size_t>(c)] += (sign ? 1e-5 : -1e-5) * way[static_cast<size_t>(r * cols + c)];
            const Doubles out = Plain(moved, w, b, static_cast<size_t>(cols), rms);
            for (int64_t c = 0; c < cols; ++c)
              loss[sign] += out[static_cast<size_t>(c)] * BFloatToFloat(dy16[static_cast<size_t>(r * cols + c)]);
          }
          // A single number normalised is +-1 or 0 whatever it is: its slope is what is left of large terms.
          ASSERT_NEAR(along, (loss[1] - loss[0]) / 2e-5, 1e-3 * size + (cols < 3 ? 0.05 : 2e-4))
              << rows << " " << cols << " " << rms;
        }
      }
    }
  }
}

TEST_P(TrainNorms, RowsByThemselvesAndUglyOnes) {
  const TrainTable& table = *GetParam();
  Rng rng(2);
  Floats x = Draw(4 * 40, &rng), y(x.size()), mean(4), inverse(4);
  for (int c = 0; c < 40; ++c) x[static_cast<size_t>(40 + c)] = 3, x[static_cast<size_t>(120 + c)] *= 1e15f;
  x[90] = NAN;
  RowNorm work = {.rows = 4, .cols = 40, .x = x.data(), .y = y.data(), .mean = mean.data(), .inverse = inverse.data()};
  table.norm_forward(&work, 0, 4);
  for (size_t i = 0; i < 160; ++i) {
    ASSERT_EQ(std::isnan(y[i]), i / 40 == 2) << i;
    if (i / 40 == 1) {
      ASSERT_NEAR(y[i], 0, 1e-9) << "all alike";
    }
    if (i / 40 == 3) {
      ASSERT_LT(std::abs(y[i]), 4);
    }
  }
}

TEST_P(TrainNorms, GatesEqualTheReference) {
  const TrainTable &table = *GetParam(), &plain = ReferenceTrainTable();
  Rng rng(3);
  for (const Activation act : {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh, Activation::kSigmoid}) {
    for (const int64_t n : {0, 1, 7, 8, 9, 16, 17, 31, 100}) {
      const Brains gate = Narrow(Draw(n, &rng, 6)), up = Narrow(Draw(n, &rng)), d = Narrow(Draw(n, &rng));
      Brains got(static_cast<size_t>(3 * n + 1), 0x7fc0), want = got;
      const auto run = [&](const TrainTable& with, Brains* out) {
        with.gated_forward(act, gate.data(), up.data(), n, out->data());
        with.gated_backward(act, gate.data(), up.data(), d.data(), n, out->data() + n, out->data() + 2 * n);
      };
      run(table, &got);
      run(plain, &want);
      ASSERT_EQ(got.back(), 0x7fc0);
      for (size_t i = 0; i + 1 < got.size(); ++i) {
        const float w = BFloatToFloat(want[i]);
        ASSERT_NEAR(BFloatToFloat(got[i]), w, std::abs(w) * 0.0079 + 1e-5);
      }
    }
  }
}

TEST_P(TrainNorms, DropoutIsTheSameOnEveryTableAndForAnyCut) {
  const TrainTable &table = *GetParam(), &plain = ReferenceTrainTable();
  Rng rng(4);
  for (const int64_t n : {0, 1, 15, 63, 64, 65, 1000, 20000}) {
    const Floats x = Draw(n, &rng);
    const Brains x16 = Narrow(x);
    const Dropout how{0x123456789abcdefull, 77, 0.3f};
    const int64_t first = 64 * ((int64_t{1} << 28) - 3);  // the counter passes 2^32
    Floats got(static_cast<size_t>(n) + 1, -7), want = got;
    Brains got16(got.size(), 5), want16 = got16;
    for (int64_t at = 0; at < n; at += 640)
      table.drop(&how, first + at, x.data() + at, std::min<int64_t>(640, n - at), got.data() + at);
    table.drop16(&how, first, x16.data(), n, got16.data());
    plain.drop(&how, first, x.data(), n, want.data());
    plain.drop16(&how, first, x16.data(), n, want16.data());
    ASSERT_EQ(got, want);
    ASSERT_EQ(got16, want16);
    int64_t zeros = 0;
    for (int64_t i = 0; i < n; ++i) {
      const float y = got[static_cast<size_t>(i)];
      zeros += y == 0;
      if (y != 0) {
        ASSERT_NEAR(y, x[static_cast<size_t>(i)] / 0.7f, 1e-5);
      }
    }
    if (n == 20000) {
      EXPECT_NEAR(static_cast<double>(zeros) / 20000, 0.3, 0.015);
    }
  }
  // Other streams, other seeds and no dropout at all.
  const Floats ones(640, 1.0f);
  Floats a(640), b(640), c(640), all(640);
  const Dropout hows[4] = {{1, 1, 0.5f}, {1, 2, 0.5f}, {2, 1, 0.5f}, {1, 1, 0}};
  Floats* outs[4] = {&a, &b, &c, &all};
  for (int i = 0; i < 4; ++i) table.drop(&hows[i], 0, ones.data(), 640, outs[i]->data());
  EXPECT_NE(a, b);
  EXPECT_NE(a, c);
  EXPECT_NE(b, c);
  EXPECT_EQ(all, ones);
}

TEST_P(TrainNorms, RotationTurnsPairsAndTurnsThemBack) {
  const TrainTable& table = *GetParam();
  Rng rng(5);
  for (const bool halves : {false, true}) {
    for (const int64_t dim : {2, 6, 16, 30, 32, 64, 80}) {
      const int64_t rows = 9, heads = 3, stride = heads * dim + 2;
      const Floats x = Draw(rows * stride, &rng);
      Floats cosines, sines;
      std::vector<int64_t> positions;
      for (int64_t p = 0; p < 12; ++p) {
        for (int64_t i = 0; i < dim / 2; ++i) {
          const double angle =
              static_cast<double>(p) * std::pow(100.0, -2.0 * static_cast<double>(i) / static_cast<double>(dim));
          cosines.push_back(static_cast<float>(std::cos(angle))), sines.push_back(static_cast<float>(std::sin(angle)));
        }
      }
      for (int64_t r = 0; r < rows; ++r) positions.push_back(r * 5 % 12);
      Brains got = Narrow(x);
      const Brains before = got;
      Rotation work = {got.data(), stride, heads, dim, positions.data(), cosines.data(), sines.data(), false, halves};
      table.rotate(&work, 4, rows);
      table.rotate(&work, 0, 4);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t i = 0; i < stride; ++i) {
          const int64_t place = i % dim, half = dim / 2;
          const bool second = halves ? place >= half : place % 2 == 1;
          const size_t at = static_cast<size_t>(r * stride + i), away = static_cast<size_t>(halves ? half : 1);
          const size_t twin = second ? at - away : at + away;
          if (i >= heads * dim) {
            ASSERT_EQ(got[at], before[at]);
            continue;
          }
          const size_t turn =
              static_cast<size_t>(positions[static_cast<size_t>(r)] * half + (halves ? place % half : place / 2));
          const double own = BFloatToFloat(before[at]), other = BFloatToFloat(before[twin]);
          const double want = own * cosines[turn] + (second ? 1 : -1) * other * sines[turn];
          ASSERT_NEAR(BFloatToFloat(got[at]), want, std::abs(want) * 0.004 + 1e-6) << dim;
        }
      }
      work.back = true;
      table.rotate(&work, 0, rows);
      for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(BFloatToFloat(got[i]), BFloatToFloat(before[i]), 0.03);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllTables, TrainNorms, testing::ValuesIn(AvailableTrainTables()),
                         [](const auto& each) { return std::string(each.param->name); });

}  // namespace
}  // namespace atelier::kernel
