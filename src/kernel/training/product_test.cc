// Products of training and their packed forms, every table that this machine can run, against plain arithmetic.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>

#include "base/rng.h"
#include "kernel/blocks_testing.h"
#include "kernel/format.h"
#include "kernel/select.h"
#include "kernel/training/select.h"

namespace atelier::kernel {
namespace {

using Floats = std::vector<float>;
using Brains = std::vector<uint16_t>;

Floats RandomFloats(int64_t n, Rng* rng) {
  Floats x(static_cast<size_t>(n));
  for (float& v : x) v = Normal(rng);
  return x;
}
Brains RandomBrains(int64_t n, Rng* rng) {
  Brains x(static_cast<size_t>(n));
  for (uint16_t& v : x) v = FloatToBFloat(Normal(rng));
  return x;
}
float At(const Brains& x, int64_t i) { return BFloatToFloat(x[static_cast<size_t>(i)]); }

// The same product once more, of panels that were converted before, where the table does that.
Floats OfBlocks(const TrainTable& table, Product product, Floats out) {
  std::vector<char> blocks;
  if (table.take_blocks) {
    blocks.resize(static_cast<size_t>(table.blocks_bytes(product.cols, product.depth)), 1);
    for (int64_t panel = 0; panel < Panels(product.cols); ++panel)
      for (int64_t k = 0; k < product.depth; k += 256)
        table.take_blocks(product.b, product.cols, product.depth, panel, panel + 1, k, std::min(k + 256, product.depth),
                          blocks.data());
    product.blocks = blocks.data();
  }
  product.out = out.data();
  table.product(&product, 0, product.rows, 0, Panels(product.cols));
  return out;
}

class TrainProducts : public testing::TestWithParam<const TrainTable*> {};

// One sum of products, and how far f32 may be from it: one rounding of a term and two of the sum per pair. Numbers that
// share an exponent (blocks_fixed.h) may each be off by 2^-12 of the greatest.
struct Sum {
  explicit Sum(const TrainTable& table) : exact(table.exact) {}

  void Add(double a, double b) {
    value += a * b, size += std::abs(a * b);
    a_size += std::abs(a), b_size += std::abs(b), ++depth;
    a_most = std::max(a_most, std::abs(a)), b_most = std::max(b_most, std::abs(b));
  }
  void Add(double x) { value += x, size += std::abs(x); }
  double slack() const {
    const double f32 = size * 1.2e-7 * (2 + std::sqrt(static_cast<double>(depth))) + 1e-30;
    return exact ? f32 : f32 + (a_most * b_size + b_most * a_size) / 4096;
  }

  bool exact;
  int64_t depth = 0;
  double value = 0, size = 0, a_size = 0, b_size = 0, a_most = 0, b_most = 0;
};

// Both forms of weights and of activations, all sizes around the tiles, unaligned, with strides.
TEST_P(TrainProducts, LinearLayerEqualsPlainArithmetic) {
  const TrainTable& table = *GetParam();
  Rng rng(1);
  for (const int64_t tokens : {0, 1, 2, 3, 5, 6, 7, 12, 13, 64, 65, 131}) {
    for (const int64_t outs : {1, 15, 16, 17, 63, 64, 65, 130}) {
      for (const int64_t ins : {1, 2, 7, 16, 31, 33, 64, 65, 129}) {
        if (tokens * outs * ins > 600000) continue;
        const int64_t x_stride = ins + 3, w_stride = ins + 1, y_stride = outs + 5;
        const Brains x = RandomBrains(tokens * x_stride + 1, &rng), dy = RandomBrains(tokens * y_stride + 1, &rng);
        const Floats w = RandomFloats(outs * w_stride + 1, &rng), bias = RandomFloats(outs, &rng);
        Brains forward(static_cast<size_t>(PackedSize(outs, ins)) + 1, 0x7fc0),
            backward(static_cast<size_t>(PackedSize(ins, outs)) + 1, 0x7fc0);
        table.pack_weights(w.data() + 1, w_stride, outs, ins, 0, Panels(outs), forward.data() + 1, backward.data() + 1);
        const auto weight = [&](int64_t n, int64_t k) {
          return static_cast<double>(BFloatToFloat(FloatToBFloat(w[static_cast<size_t>(1 + n * w_stride + k)])));
        };

        Floats y(static_cast<size_t>(tokens * y_stride), -7.0f);
        Product product;
        product.rows = tokens, product.cols = outs, product.depth = ins;
        product.Rows(x.data() + 1, x_stride).b = forward.data() + 1;
        product.out = y.data(), product.out_stride = y_stride, product.bias = bias.data();
        table.product(&product, 0, tokens, 0, Panels(outs));
        for (int64_t t = 0; t < tokens; ++t) {
          for (int64_t n = 0; n < y_stride; ++n) {
            if (n >= outs) {
              ASSERT_EQ(y[static_cast<size_t>(t * y_stride + n)], -7.0f);
              continue;
            }
            Sum want(table);
            want.Add(bias[static_cast<size_t>(n)]);
            for (int64_t k = 0; k < ins; ++k) want.Add(At(x, 1 + t * x_stride + k), weight(n, k));
            ASSERT_NEAR(y[static_cast<size_t>(t * y_stride + n)], want.value, want.slack())
                << tokens << " " << outs << " " << ins;
          }
        }

        Floats dx(static_cast<size_t>(tokens * ins), -7.0f);
        product = {};
        product.rows = tokens, product.cols = ins, product.depth = outs;
        product.Rows(dy.data() + 1, y_stride).b = backward.data() + 1;
        product.out = dx.data(), product.out_stride = ins;
        table.product(&product, 0, tokens, 0, Panels(ins));
        for (int64_t t = 0; t < tokens; ++t) {
          for (int64_t k = 0; k < ins; ++k) {
            Sum want(table);
            for (int64_t n = 0; n < outs; ++n) want.Add(At(dy, 1 + t * y_stride + n), weight(n, k));
            ASSERT_NEAR(dx[static_cast<size_t>(t * ins + k)], want.value, want.slack())
                << tokens << " " << outs << " " << ins;
          }
        }

        Brains dy2(static_cast<size_t>(PackedSize(outs, tokens)) + 1, 0x7fc0),
            x2(static_cast<size_t>(PackedSize(ins, tokens)) + 1, 0x7fc0);
        Floats dbias = RandomFloats(outs, &rng), dw = RandomFloats(outs * ins, &rng);
        const Floats dbias0 = dbias, dw0 = dw;
        table.interleave(dy.data() + 1, y_stride, tokens, outs, 0, Panels(outs), dy2.data() + 1, dbias.data());
        table.interleave(x.data() + 1, x_stride, tokens, ins, 0, Panels(ins), x2.data() + 1, nullptr);
        product = {};
        product.rows = outs, product.cols = ins, product.depth = tokens;
        product.Interleaved(dy2.data() + 1).b = x2.data() + 1;
        product.out = dw.data(), product.out_stride = ins, product.accumulate = true;
        table.product(&product, 0, outs, 0, Panels(ins));
        for (int64_t n = 0; n < outs; ++n) {
          Sum bias_sum(table);
          bias_sum.exact = true;
          bias_sum.Add(dbias0[static_cast<size_t>(n)]);
          for (int64_t t = 0; t < tokens; ++t) bias_sum.Add(At(dy, 1 + t * y_stride + n), 1);
          ASSERT_NEAR(dbias[static_cast<size_t>(n)], bias_sum.value, bias_sum.slack());
          for (int64_t k = 0; k < ins; ++k) {
            Sum want(table);
            want.Add(dw0[static_cast<size_t>(n * ins + k)]);
            for (int64_t t = 0; t < tokens; ++t) want.Add(At(dy, 1 + t * y_stride + n), At(x, 1 + t * x_stride + k));
            ASSERT_NEAR(dw[static_cast<size_t>(n * ins + k)], want.value, want.slack())
                << tokens << " " << outs << " " << ins;
          }
        }
      }
    }
  }
}

// Depths beyond one block, even and odd, and every way of cutting the work gives the same bits.
TEST_P(TrainProducts, DeepSumsAndRangesGiveTheSameBits) {
  const TrainTable& table = *GetParam();
  Rng rng(2);
  for (const int64_t depth : {1, 31, 33, 511, 512, 513, 1024, 1025, 1537}) {
    const int64_t rows = 137, cols = 270;  // the last group has nine rows, the last panel 14 columns
    const Brains a = RandomBrains(rows * depth, &rng);
    const Floats w = RandomFloats(cols * depth, &rng);
    Brains b(static_cast<size_t>(PackedSize(cols, depth)));
    table.pack_weights(w.data(), depth, cols, depth, 0, Panels(cols), b.data(), nullptr);
    Floats whole(static_cast<size_t>(rows * cols)), parts(whole.size());
    Product product;
    product.rows = rows, product.cols = cols, product.depth = depth;
    product.Rows(a.data(), depth).b = b.data();
    product.out = whole.data(), product.out_stride = cols;
    table.product(&product, 0, rows, 0, Panels(cols));
    product.out = parts.data();
    for (int64_t panel = Panels(cols) - 1; panel >= 0; --panel) {
      table.product(&product, 128, rows, panel, panel + 1);
      table.product(&product, 0, 64, panel, panel + 1);
      table.product(&product, 64, 128, panel, panel + 1);
    }
    ASSERT_EQ(whole, parts);
    ASSERT_EQ(whole, OfBlocks(table, product, parts));
    for (int64_t i = 0; i < rows; i += 7) {
      for (int64_t j = 0; j < cols; j += 3) {
        Sum want(table);
        for (int64_t k = 0; k < depth; ++k)
          want.Add(At(a, i * depth + k), BFloatToFloat(FloatToBFloat(w[static_cast<size_t>(j * depth + k)])));
        ASSERT_NEAR(whole[static_cast<size_t>(i * cols + j)], want.value, want.slack());
      }
    }
  }
}

// What is zipped, too: gradients of weights over more rows than a block, added to what is there or not.
TEST_P(TrainProducts, DeepZippedSumsAndRangesGiveTheSameBits) {
  const TrainTable& table = *GetParam();
  Rng rng(3);
  for (const int64_t depth : {511, 1024, 1025, 2080}) {
    const int64_t rows = 70, cols = 140;  // the last group has six rows
    const Brains dy = RandomBrains(depth * rows, &rng), x = RandomBrains(depth * cols, &rng);
    Brains a(static_cast<size_t>(PackedSize(rows, depth))), b(static_cast<size_t>(PackedSize(cols, depth)));
    table.interleave(dy.data(), rows, depth, rows, 0, Panels(rows), a.data(), nullptr);
    table.interleave(x.data(), cols, depth, cols, 0, Panels(cols), b.data(), nullptr);
    for (const bool accumulate : {false, true}) {
      const Floats before = RandomFloats(rows * cols, &rng);
      Floats whole = before, parts = before;
      Product product;
      product.rows = rows, product.cols = cols, product.depth = depth;
      product.Interleaved(a.data()).b = b.data();
      product.out = whole.data(), product.out_stride = cols, product.accumulate = accumulate;
      table.product(&product, 0, rows, 0, Panels(cols));
      product.out = parts.data();
      for (int64_t panel = Panels(cols) - 1; panel >= 0; --panel) {
        table.product(&product, 64, rows, panel, panel + 1);
        table.product(&product, 0, 64, panel, panel + 1);
      }
      ASSERT_EQ(whole, parts);
      ASSERT_EQ(whole, OfBlocks(table, product, before));
      for (int64_t i = 0; i < rows; i += 3) {
        for (int64_t j = 0; j < cols; j += 5) {
          Sum want(table);
          if (accumulate) want.Add(before[static_cast<size_t>(i * cols + j)]);
          for (int64_t k = 0; k < depth; ++k) want.Add(At(dy, k * rows + i), At(x, k * cols + j));
          ASSERT_NEAR(whole[static_cast<size_t>(i * cols + j)], want.value, want.slack()) << depth << " " << i;
        }
      }
    }
  }
}

// The packed forms are equal to the reference's to the bit, padding included, in one range or many.
TEST_P(TrainProducts, PackedFormsAreEqualOnAllTables) {
  const TrainTable &table = *GetParam(), &plain = ReferenceTrainTable();
  Rng rng(3);
  for (int64_t rows = 1; rows < 140; rows += rows < 36 ? 5 : 31) {
    for (int64_t cols = 1; cols < 140; cols += cols < 36 ? 3 : 29) {
      Floats w = RandomFloats(rows * cols, &rng);
      w[0] = std::numeric_limits<float>::infinity(), w[w.size() / 2] = std::numeric_limits<float>::quiet_NaN();
      w[w.size() - 1] = 3.4e38f;  // beyond the greatest bf16: infinity
      Brains want_forward(static_cast<size_t>(PackedSize(cols, rows) + PackedSize(rows, cols)), 7),
          want_backward = want_forward;
      Brains forward = want_forward, backward = want_forward;
      plain.pack_weights(w.data(), cols, rows, cols, 0, Panels(rows), want_forward.data(), want_backward.data());
      for (int64_t block = 0; block < Panels(rows); ++block)
        table.pack_weights(w.data(), cols, rows, cols, block, block + 1, forward.data(), backward.data());
      ASSERT_EQ(forward, want_forward) << rows << " " << cols;
      ASSERT_EQ(backward, want_backward) << rows << " " << cols;
    }
  }
}

// So are those of blocks, of every format: rows and columns beyond a panel and beyond what is unpacked at a time.
TEST_P(TrainProducts, PackedBlocksAreEqualOnAllTables) {
  const TrainTable &table = *GetParam(), &plain = ReferenceTrainTable();
  Rng rng(4);
  for (const FormatInfo& info : kFormats) {
    for (const int64_t rows : {1, 2, 31, 64, 65, 130}) {
      for (const int64_t blocks : {1, 3, 19}) {
        const int64_t cols = blocks * info.block * (info.block == 1 ? 37 : 1),
                      row_bytes = cols / info.block * info.bytes;
        const std::vector<uint8_t> w = RandomBlocks(info.format, rows, cols, &rng);
        Brains want_forward(static_cast<size_t>(PackedSize(cols, rows) + PackedSize(rows, cols)), 7),
            want_backward = want_forward;
        Brains forward = want_forward, backward = want_forward;
        plain.pack_blocks(info.format, w.data(), row_bytes, rows, cols, 0, Panels(rows), want_forward.data(),
                          want_backward.data());
        for (int64_t block = 0; block < Panels(rows); ++block) {
          table.pack_blocks(info.format, w.data(), row_bytes, rows, cols, block, block + 1, forward.data(), nullptr);
          table.pack_blocks(info.format, w.data(), row_bytes, rows, cols, block, block + 1, nullptr, backward.data());
        }
        ASSERT_EQ(forward, want_forward) << info.name << " " << rows << " " << cols;
        ASSERT_EQ(backward, want_backward) << info.name << " " << rows << " " << cols;
      }
    }
  }
}

TEST_P(TrainProducts, NarrowsAndWidensEveryKindOfNumber) {
  const TrainTable& table = *GetParam();
  Floats x;
  for (uint32_t bits = 0; bits < 0xffff8000u; bits += 0x6543) x.push_back(std::bit_cast<float>(bits));
  for (const size_t n : {x.size(), size_t{0}, size_t{1}, size_t{7}, size_t{15}, size_t{17}}) {
    Brains narrow(n + 1, 0x1234);
    table.narrow(x.data(), static_cast<int64_t>(n), narrow.data());
    EXPECT_EQ(narrow[n], 0x1234);
    Floats wide(n + 1, 5.0f);
    table.widen(narrow.data(), static_cast<int64_t>(n), wide.data());
    EXPECT_EQ(wide[n], 5.0f);
    for (size_t i = 0; i < n; ++i) {
      // The instruction takes numbers that are not normal for zero.
      const bool tiny = std::fpclassify(x[i]) == FP_SUBNORMAL;
      if (std::isnan(x[i])) {
        ASSERT_TRUE(std::isnan(wide[i]));
      } else if (!tiny) {
        ASSERT_EQ(narrow[i], FloatToBFloat(x[i])) << x[i];
      }
      if (!std::isnan(wide[i])) {
        ASSERT_EQ(wide[i], BFloatToFloat(narrow[i]));
      }
    }
  }
}

// Everything that may follow a sum, and that infinities and NaN stay where they belong.
TEST_P(TrainProducts, EpiloguesEqualPlainArithmetic) {
  const TrainTable &table = *GetParam(), &plain = ReferenceTrainTable();
  Rng rng(4);
  const int64_t rows = 37, cols = 83, depth = 20;
  Brains a = RandomBrains(rows * depth, &rng), slope = RandomBrains(rows * cols, &rng);
  const Brains add16 = RandomBrains(rows * cols, &rng);
  for (size_t i = 0; i < slope.size(); ++i)
    slope[i] = FloatToBFloat(BFloatToFloat(slope[i]) * static_cast<float>(i % 7));
  slope[3] = FloatToBFloat(3e38f), slope[4] = FloatToBFloat(-3e38f), slope[5] = FloatToBFloat(0);
  Floats w = RandomFloats(cols * depth, &rng);
  const Floats bias = RandomFloats(cols, &rng), add = RandomFloats(rows * cols, &rng),
               old = RandomFloats(rows * cols, &rng);
  // What every table multiplies as it is: no number is of other places than the greatest's twelve.
  for (uint16_t& x : a) x = FloatToBFloat(std::round(BFloatToFloat(x) * 64) / 64);
  for (float& x : w) x = std::round(x * 64) / 64;
  Brains b(static_cast<size_t>(PackedSize(cols, depth)));
  plain.pack_weights(w.data(), depth, cols, depth, 0, Panels(cols), b.data(), nullptr);
  for (int act = 0; act <= static_cast<int>(Activation::kGeluTanh); ++act) {
    for (int what = 0; what < 64; ++what) {
      Product product;
      product.rows = rows, product.cols = cols, product.depth = depth;
      product.Rows(a.data(), depth).b = b.data();
      product.act = static_cast<Activation>(act);
      product.accumulate = (what & 1) != 0;
      if (what & 2) product.bias = bias.data();
      if (what & 4) product.add16 = add16.data(), product.add16_stride = cols;
      if (what & 8) product.add = add.data(), product.add_stride = cols;
      if (what & 16) product.slope16 = slope.data(), product.slope16_stride = cols;
      Floats got = old, want = old;
      Brains got16(got.size()), want16 = got16, got_pre = got16, want_pre = got16;
      const auto run = [&](const TrainTable& with, Floats* out, Brains* out16, Brains* pre) {
        product.out = out->data(), product.out_stride = cols, product.out16 = out16->data(),
        product.out16_stride = cols;
        if (what & 32) product.pre16 = pre->data(), product.pre16_stride = cols;
        with.product(&product, 0, rows, 0, Panels(cols));
      };
      run(table, &got, &got16, &got_pre);
      run(plain, &want, &want16, &want_pre);
      for (size_t i = 0; i < got.size(); ++i) {
        // f32 sums of 20 terms of about 1 to 10; erf by a formula of 2e-7 absolute, times |v| up to 40
        ASSERT_NEAR(got[i], want[i], 3e-5 + 1e-6 * std::abs(want[i])) << "act " << act << " what " << what;
        ASSERT_NEAR(BFloatToFloat(got16[i]), want[i], 3e-5 + std::abs(want[i]) * 0.00392);
        ASSERT_NEAR(BFloatToFloat(got_pre[i]), BFloatToFloat(want_pre[i]),
                    3e-5 + std::abs(BFloatToFloat(want_pre[i])) * 0.0079);
      }
    }
  }
}

TEST_P(TrainProducts, UglyNumbersStayInTheirRowsAndColumns) {
  const TrainTable& table = *GetParam();
  const int64_t rows = 20, cols = 70, depth = 33;
  Brains a(static_cast<size_t>(rows * depth), FloatToBFloat(1.0f));
  Floats w(static_cast<size_t>(cols * depth), 0.5f);
  a[static_cast<size_t>(3 * depth + 32)] = FloatToBFloat(std::numeric_limits<float>::quiet_NaN());
  a[static_cast<size_t>(5 * depth)] = FloatToBFloat(std::numeric_limits<float>::infinity());
  a[static_cast<size_t>(6 * depth + 1)] = 1;  // the smallest of all numbers
  a[static_cast<size_t>(7 * depth + 1)] = FloatToBFloat(3e38f),
                                    a[static_cast<size_t>(7 * depth + 9)] = FloatToBFloat(3e38f);
  w[static_cast<size_t>(66 * depth + 2)] = -std::numeric_limits<float>::infinity();
  Brains b(static_cast<size_t>(PackedSize(cols, depth)));
  table.pack_weights(w.data(), depth, cols, depth, 0, Panels(cols), b.data(), nullptr);
  Floats out(static_cast<size_t>(rows * cols));
  Product product;
  product.rows = rows, product.cols = cols, product.depth = depth;
  product.Rows(a.data(), depth).b = b.data();
  product.out = out.data(), product.out_stride = cols;
  table.product(&product, 0, rows, 0, Panels(cols));
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      const float got = out[static_cast<size_t>(i * cols + j)];
      if (i == 3 || (i == 5 && j == 66)) {
        ASSERT_TRUE(std::isnan(got)) << i << " " << j;
      } else if (j == 66) {
        ASSERT_EQ(got, -std::numeric_limits<float>::infinity()) << i;
      } else if (i == 5) {
        ASSERT_EQ(got, std::numeric_limits<float>::infinity());
      } else if (i == 7) {
        ASSERT_NEAR(got, 3e38f, 2e36f);
      } else {
        ASSERT_EQ(got, i == 6 ? 16.0f : 16.5f);
      }
    }
  }
}

// Where numbers share an exponent, those down to 1/16 of the greatest are whole, all sums of 128 of the greatest fit,
// and a block with an infinity is computed as it is, whichever side has it and wherever in the depth.
TEST_P(TrainProducts, ASharedExponentKeepsWhatItSays) {
  const TrainTable& table = *GetParam();
  const int64_t rows = 64, cols = 64, depth = 300;
  const auto run = [&](const Brains& a, const Floats& w, bool zipped) {
    Floats out(static_cast<size_t>(rows * cols));
    Brains b(static_cast<size_t>(PackedSize(cols, depth))), a2(static_cast<size_t>(PackedSize(rows, depth)));
    Product product;
    product.rows = rows, product.cols = cols, product.depth = depth;
    product.out = out.data(), product.out_stride = cols;
    table.pack_weights(w.data(), depth, cols, depth, 0, Panels(cols), b.data(), nullptr);
    product.Rows(a.data(), depth).b = b.data();
    if (zipped) {
      Brains turned(a.size());
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t k = 0; k < depth; ++k)
          turned[static_cast<size_t>(k * rows + i)] = a[static_cast<size_t>(i * depth + k)];
      }
      table.interleave(turned.data(), rows, depth, rows, 0, Panels(rows), a2.data(), nullptr);
      product.Interleaved(a2.data());
    }
    return OfBlocks(table, product, out);
  };
  for (const bool zipped : {false, true}) {
    for (const float size : {1.0f, 1e-20f, 1e18f}) {
      // The greatest mantissa everywhere; in the second column of every pair a sixteenth of it.
      const float most = std::ldexp(255.0f, std::ilogb(size));
      Brains a(static_cast<size_t>(rows * depth), FloatToBFloat(most));
      Floats w(static_cast<size_t>(cols * depth), 255.0f);
      for (size_t k = 1; k < a.size(); k += 2) a[k] = FloatToBFloat(-most / 16);
      const double want = 150.0 * 255 * most - 150.0 * 255 * most / 16;
      for (const float got : run(a, w, zipped)) ASSERT_NEAR(got, want, want * 1e-6) << zipped << size;

      const float infinity = std::numeric_limits<float>::infinity();
      for (const int64_t at : {0, 127, 128, 299}) {
        Brains ugly = a;
        ugly[static_cast<size_t>(7 * depth + at)] = FloatToBFloat(infinity);
        Floats heavy = w;
        heavy[static_cast<size_t>(9 * depth + at)] = std::numeric_limits<float>::quiet_NaN();
        const Floats left = run(ugly, w, zipped), right = run(a, heavy, zipped);
        for (int64_t i = 0; i < rows; ++i) {
          for (int64_t j = 0; j < cols; ++j) {
            const float one = left[static_cast<size_t>(i * cols + j)], other = right[static_cast<size_t>(i * cols + j)];
            if (i == 7) {
              ASSERT_EQ(one, infinity) << at;
            } else {
              ASSERT_NEAR(one, want, want * 1e-6) << at;
            }
            ASSERT_EQ(std::isnan(other), j == 9) << at << " " << i << " " << j;
          }
        }
      }
    }
  }
}

TEST(TrainSelect, ObeysAtelierIsa) {
  const std::vector<const TrainTable*> tables = AvailableTrainTables();
  EXPECT_EQ(tables.back(), &ReferenceTrainTable());
  const char* wanted = std::getenv("ATELIER_ISA");
  const std::string_view best = wanted && *wanted ? BestTable().name : tables.front()->name;
  EXPECT_TRUE(BestTrainTable().name.starts_with(best)) << BestTrainTable().name;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const size_t least = __builtin_cpu_supports("avx512bf16") ? 4
                       : __builtin_cpu_supports("avx512bw") ? 3
                       : __builtin_cpu_supports("avx2")     ? 2
                                                            : 1;
  if (tables.front()->name.starts_with("avx512")) {
    const bool pairs = __builtin_cpu_supports("avx512bf16") && !__builtin_cpu_is("intel");
    EXPECT_EQ(tables.front()->name, pairs ? "avx512" : "avx512wide");
  }
  EXPECT_EQ(tables.size(), least + (AmxTrainTable() ? 1 : 0));
  std::ifstream info("/proc/cpuinfo");
  const std::string flags((std::istreambuf_iterator<char>(info)), {});
  EXPECT_FALSE(AmxTrainTable() && flags.find(" amx_bf16") == std::string::npos);
#endif
}

INSTANTIATE_TEST_SUITE_P(AllTables, TrainProducts, testing::ValuesIn(AvailableTrainTables()),
                         [](const auto& each) { return std::string(each.param->name); });

}  // namespace
}  // namespace atelier::kernel
