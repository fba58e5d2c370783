// Every table that this machine can run, against plain arithmetic written here: all sizes around the tiles, ugly
// values, and the promise that a row's bits do not depend on what stands beside it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/rng.h"
#include "kernel/blocks_testing.h"
#include "kernel/select.h"

namespace atelier::kernel {
namespace {

constexpr Format kQuantised[] = {Format::kQ4_0, Format::kQ4_1, Format::kQ5_0, Format::kQ5_1,
                                 Format::kQ8_0, Format::kQ4_K, Format::kQ5_K, Format::kQ6_K};

struct Quants {
  std::vector<int8_t> q;
  std::vector<float> scale, scaled_sum;
  std::vector<int32_t> neg_sum;
  QuantisedRows rows;
  Quants(const Table& table, const std::vector<float>& x, int64_t tokens, int64_t cols)
      : q(static_cast<size_t>(tokens * cols)), scale(q.size() / 32), scaled_sum(q.size() / 32), neg_sum(q.size() / 16) {
    rows = {tokens, cols, q.data(), scale.data(), neg_sum.data(), scaled_sum.data()};
    for (int64_t t = 0; t < tokens; ++t) table.quantise(x.data() + t * cols, t, &rows);
  }
};

class Kernels : public testing::TestWithParam<const Table*> {};

TEST_P(Kernels, QuantisedProductEqualsPlainArithmetic) {
  const Table& table = *GetParam();
  Rng rng(1);
  for (Format format : kQuantised) {
    for (int64_t rows : {1, 15, 16, 17, 40}) {
      const int64_t cols = Info(format).block == 256 ? 512 : 96;
      const std::vector<uint8_t> blocks = RandomBlocks(format, rows, cols, &rng);
      std::vector<float> weights(static_cast<size_t>(rows * cols));
      Dequantise(format, blocks.data(), rows * cols, weights.data());
      PackedMatrix packed = AllocatePacked(format, rows, cols);
      PackPanels(blocks.data(), 0, packed.panels(), &packed);
      for (int64_t tokens = 1; tokens <= 35; tokens += tokens < 9 ? 1 : 13) {
        std::vector<float> x(static_cast<size_t>(tokens * cols));
        for (float& v : x) v = Normal(&rng);
        const Quants quants(table, x, tokens, cols);
        std::vector<float> out(static_cast<size_t>(tokens * rows), -7.0f);
        table.matmul_quantised(&packed, 0, packed.panels(), &quants.rows, out.data(), rows);
        for (int64_t t = 0; t < tokens; ++t) {
          for (int64_t r = 0; r < rows; ++r) {
            double want = 0, size = 0;
            for (int64_t k = 0; k < cols; ++k) {
              const double term = static_cast<double>(weights[static_cast<size_t>(r * cols + k)]) *
                                  quants.q[static_cast<size_t>(t * cols + k)] *
                                  quants.scale[static_cast<size_t>((t * cols + k) / 32)];
              want += term;
              size += std::abs(term);
            }
            // Scales are kept as halves (2^-11 of each term); K formats' are products that need rounding.
            ASSERT_NEAR(out[static_cast<size_t>(t * rows + r)], want, size * 6e-4 + 1e-5)
                << Info(format).name << " rows " << rows << " tokens " << tokens;
          }
        }
      }
    }
  }
}

// Sums that are kept in 16 bits on the way must hold where every weight and every activation is as large as can be.
TEST_P(Kernels, QuantisedProductHoldsAtTheExtremes) {
  const Table& table = *GetParam();
  Rng rng(3);
  for (Format format : kQuantised) {
    const int64_t rows = 17, cols = Info(format).block == 256 ? 512 : 96;
    for (const uint8_t fill : {0x00, 0x7F, 0x80, 0xFF}) {
      std::vector<uint8_t> blocks = RandomBlocks(format, rows, cols, &rng);
      const FormatInfo& info = Info(format);
      for (size_t at = 0; at < blocks.size(); ++at) {  // all but the scales that RandomBlocks has set
        const size_t in = at % static_cast<size_t>(info.bytes);
        const bool scale =
            format == Format::kQ6_K ? in >= 208
            : format == Format::kQ4_1 || format == Format::kQ5_1 || format == Format::kQ4_K || format == Format::kQ5_K
                ? in < 4
                : in < 2;
        if (!scale) blocks[at] = fill;
      }
      std::vector<float> weights(static_cast<size_t>(rows * cols));
      Dequantise(format, blocks.data(), rows * cols, weights.data());
      PackedMatrix packed = AllocatePacked(format, rows, cols);
      PackPanels(blocks.data(), 0, packed.panels(), &packed);
      const int64_t tokens = 5;
      std::vector<float> x(static_cast<size_t>(tokens * cols));
      for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t k = 0; k < cols; ++k) {  // all up, all down, alternating, alternating by pairs, by halves
          const bool down = t == 1 || (t == 2 && k % 2) || (t == 3 && k / 2 % 2) || (t == 4 && k % 32 < 16);
          x[static_cast<size_t>(t * cols + k)] = down ? -2.0f : 2.0f;
        }
      }
      const Quants quants(table, x, tokens, cols);
      ASSERT_EQ(quants.q[0], 127);
      std::vector<float> out(static_cast<size_t>(tokens * rows));
      table.matmul_quantised(&packed, 0, packed.panels(), &quants.rows, out.data(), rows);
      for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t r = 0; r < rows; ++r) {
          double want = 0, size = 0;
          for (int64_t k = 0; k < cols; ++k) {
            const double term =
                static_cast<double>(weights[static_cast<size_t>(r * cols + k)]) * x[static_cast<size_t>(t * cols + k)];
            want += term;
            size += std::abs(term);
          }
          ASSERT_NEAR(out[static_cast<size_t>(t * rows + r)], want, size * 6e-4 + 1e-5)
              << Info(format).name << " fill " << int{fill} << " token " << t;
        }
      }
    }
  }
}

TEST_P(Kernels, FloatProductEqualsPlainArithmetic) {
  const Table& table = *GetParam();
  Rng rng(2);
  for (Format format : {Format::kF32, Format::kF16, Format::kBF16}) {
    for (int64_t rows : {1, 16, 33}) {
      for (int64_t cols : {1, 31, 64}) {
        const std::vector<uint8_t> blocks = RandomBlocks(format, rows, cols, &rng);
        std::vector<float> weights(static_cast<size_t>(rows * cols));
        Dequantise(format, blocks.data(), rows * cols, weights.data());
        PackedMatrix packed = AllocatePacked(format, rows, cols);
        PackPanels(blocks.data(), 0, packed.panels(), &packed);
        for (int64_t tokens : {1, 2, 3, 4, 5, 7, 8, 16, 31}) {
          std::vector<float> x(static_cast<size_t>(tokens * cols));
          for (float& v : x) v = Normal(&rng);
          std::vector<float> out(static_cast<size_t>(tokens * rows));
          table.matmul_float(&packed, 0, packed.panels(), x.data(), cols, tokens, out.data(), rows);
          for (int64_t t = 0; t < tokens; ++t) {
            for (int64_t r = 0; r < rows; ++r) {
              double want = 0;
              for (int64_t k = 0; k < cols; ++k) {
                want += static_cast<double>(weights[static_cast<size_t>(r * cols + k)]) *
                        x[static_cast<size_t>(t * cols + k)];
              }
              ASSERT_NEAR(out[static_cast<size_t>(t * rows + r)], want, 1e-5);
            }
          }
        }
      }
    }
  }
}

TEST_P(Kernels, QuantiseSurvivesUglyValues) {
  const Table& table = *GetParam();
  std::vector<float> x(96);
  x[3] = std::numeric_limits<float>::quiet_NaN();
  x[4] = 5.0f;
  x[5] = -2.5f;
  for (size_t i = 32; i < 64; ++i) x[i] = i % 2 == 0 ? 3e38f : -3e38f;
  for (size_t i = 64; i < 96; ++i) x[i] = std::numeric_limits<float>::denorm_min();
  const Quants quants(table, x, 1, 96);
  EXPECT_EQ(quants.q[3], 0);
  EXPECT_EQ(quants.q[4], 127);
  EXPECT_EQ(quants.q[5], -64);
  EXPECT_EQ(quants.neg_sum[0], -(127 - 64));
  EXPECT_EQ(quants.q[32], 127);
  EXPECT_EQ(quants.q[33], -127);
  for (size_t i = 64; i < 96; ++i) EXPECT_LE(std::abs(quants.q[i]), 127);
}

TEST_P(Kernels, NormGateAndLogSumEqualPlainArithmetic) {
  const Table& table = *GetParam();
  Rng rng(3);
  for (int64_t n = 1; n <= 70; ++n) {
    std::vector<float> x(static_cast<size_t>(n)), w(x.size()), out(x.size());
    for (size_t i = 0; i < x.size(); ++i) x[i] = Normal(&rng) * 3, w[i] = Normal(&rng);
    table.rms_norm(x.data(), w.data(), 1e-6f, n, out.data());
    double square = 0, sum = 0;
    for (float v : x) square += static_cast<double>(v) * v, sum += std::exp(static_cast<double>(v));
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_NEAR(out[i], x[i] / std::sqrt(square / static_cast<double>(n) + 1e-6) * w[i], 1e-5);
    }
    float greatest, log_sum;
    table.log_sum_exp(x.data(), n, &greatest, &log_sum);
    ASSERT_EQ(greatest, *std::max_element(x.begin(), x.end()));
    ASSERT_NEAR(greatest + log_sum, std::log(sum), 2e-6);
    for (Gate gate : {Gate::kSilu, Gate::kGeluTanh}) {
      std::vector<float> g = x;
      table.gated(gate, g.data(), w.data(), n);
      for (size_t i = 0; i < x.size(); ++i) {
        const double v = x[i];
        const double act = gate == Gate::kSilu
                               ? v / (1 + std::exp(-v))
                               : 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
        ASSERT_NEAR(g[i], act * w[i], 3e-6 * (1 + std::abs(act * w[i])));
      }
    }
  }
  // The ends: no infinity from a finite gate, no garbage from far below.
  std::vector<float> ends = {-200, -90, 90, 200}, one(4, 1.0f);
  table.gated(Gate::kSilu, ends.data(), one.data(), 4);
  EXPECT_NEAR(ends[0], 0, 1e-6);
  EXPECT_NEAR(ends[1], 0, 1e-6);
  EXPECT_FLOAT_EQ(ends[2], 90);
  EXPECT_FLOAT_EQ(ends[3], 200);
}

TEST_P(Kernels, LayerNormAndGeluEqualPlainArithmetic) {
  const Table& table = *GetParam();
  Rng rng(4);
  for (int64_t n = 1; n <= 70; ++n) {
    const auto size = static_cast<size_t>(n);
    std::vector<float> x(size + 1, 7), branch(size), w(size), b(size);
    for (size_t i = 0; i < size; ++i) x[i] = Normal(&rng) * 3 + 5, branch[i] = Normal(&rng);
    for (size_t i = 0; i < size; ++i) w[i] = Normal(&rng), b[i] = Normal(&rng);
    double mean = 0, variance = 0;
    for (size_t i = 0; i < size; ++i) mean += (static_cast<double>(x[i]) + branch[i]) / static_cast<double>(n);
    for (size_t i = 0; i < size; ++i) variance += std::pow(x[i] + branch[i] - mean, 2) / static_cast<double>(n);
    std::vector<float> out = x;
    table.add_layer_norm(out.data(), branch.data(), w.data(), b.data(), 1e-5f, n);
    for (size_t i = 0; i < size; ++i) {
      ASSERT_NEAR(out[i], (x[i] + branch[i] - mean) / std::sqrt(variance + 1e-5) * w[i] + b[i], 2e-5) << n;
    }
    EXPECT_EQ(out[size], 7);  // nothing beyond the end
    out = x;
    table.bias_gelu(out.data(), branch.data(), n);
    for (size_t i = 0; i < size; ++i) {
      const double v = static_cast<double>(x[i]) + branch[i];
      ASSERT_NEAR(out[i], 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))), 3e-7 * (1 + std::abs(v)));
    }
    EXPECT_EQ(out[size], 7);
  }
  // All along the curve, and its ends.
  std::vector<float> all, zero;
  for (float v = -12; v <= 12; v += 0.01f) all.push_back(v);
  all.insert(all.end(), {-1e4f, 1e4f, -0.0f});
  zero.resize(all.size());
  std::vector<float> out = all;
  table.bias_gelu(out.data(), zero.data(), static_cast<int64_t>(out.size()));
  for (size_t i = 0; i < all.size(); ++i) {
    ASSERT_NEAR(out[i], 0.5 * all[i] * std::erfc(-all[i] / std::sqrt(2.0)), 3e-7 * (1 + std::abs(all[i]))) << all[i];
  }
}

TEST_P(Kernels, MinHashEqualsPlainArithmetic) {
  Rng rng(5);
  for (const int64_t lanes : {16, 32, 48, 64, 96, 112, 128, 144}) {
    std::vector<uint32_t> multiply, add, x;
    for (int64_t i = 0; i < lanes; ++i) {
      multiply.push_back(static_cast<uint32_t>(rng.Next()) | 1);
      add.push_back(static_cast<uint32_t>(rng.Next()));
    }
    for (int n = 0; n <= 40; ++n) {
      std::vector<uint32_t> out(static_cast<size_t>(lanes) + 1, 7);
      GetParam()->min_hash(x.data(), n, multiply.data(), add.data(), lanes, out.data());
      for (size_t i = 0; i < multiply.size(); ++i) {
        uint64_t least = 0xffffffffu;
        for (uint64_t v : x) least = std::min(least, (v * multiply[i] + add[i]) % (uint64_t{1} << 32));
        ASSERT_EQ(out[i], least) << lanes << " lanes, " << n << " values";
      }
      ASSERT_EQ(out.back(), 7u);  // nothing behind the lanes is written
      x.push_back(n == 3 ? 0xffffffffu : n == 4 ? 0 : static_cast<uint32_t>(rng.Next()));
    }
  }
}

TEST_P(Kernels, DotsEqualPlainSums) {
  const Table& table = *GetParam();
  Rng rng(9);
  for (int64_t n = 0; n <= 200; ++n) {
    std::vector<float> a, b;
    std::vector<int8_t> c, d;
    double sum = 0;
    int32_t whole = 0;
    for (int64_t i = 0; i < n; ++i) {
      a.push_back(static_cast<float>(rng.Uniform() - 0.5));
      b.push_back(static_cast<float>(rng.Uniform() - 0.5));
      c.push_back(static_cast<int8_t>(static_cast<int>(rng.Below(255)) - 127));
      d.push_back(i % 7 == 0 ? -127 : static_cast<int8_t>(static_cast<int>(rng.Below(255)) - 127));
      sum += static_cast<double>(a.back()) * b.back();
      whole += c.back() * d.back();
    }
    EXPECT_NEAR(table.dot(a.data(), b.data(), n), sum, 1e-4);
    EXPECT_EQ(table.dot_bytes(c.data(), d.data(), n), whole);
  }
#if defined(__x86_64__)
  EXPECT_GT(AvailableTables().size(), 1u) << "this machine has neither AVX2 nor AVX-512";
#endif
}

// One head's pages filled with random keys and values, and attention over them.
struct Heads {
  int head_dim, page_keys;
  bool wide;
  std::vector<std::vector<uint8_t>> keys, values;
  std::vector<float> plain_keys, plain_values;  // as the pages hold them
  Heads(int dim, int page, bool is_wide, int64_t positions, Rng* rng) : head_dim(dim), page_keys(page), wide(is_wide) {
    const size_t bytes = static_cast<size_t>(page * dim) * (wide ? 4 : 2);
    keys.resize(static_cast<size_t>((positions + page - 1) / page),
                std::vector<uint8_t>(bytes, 0xff));  // NaN where unset
    values = keys;
    for (int64_t p = 0; p < positions; ++p) {
      for (int d = 0; d < dim; ++d) {
        plain_keys.push_back(
            Put(&keys[static_cast<size_t>(p / page)], (p % page / 16 * dim + d) * 16 + p % 16, Normal(rng)));
        plain_values.push_back(Put(&values[static_cast<size_t>(p / page)], p % page * dim + d, Normal(rng)));
      }
    }
  }
  float Put(std::vector<uint8_t>* page, int64_t at, float value) const {
    if (wide) {
      std::memcpy(page->data() + at * 4, &value, 4);
      return value;
    }
    const uint16_t half = FloatToHalf(value);
    std::memcpy(page->data() + at * 2, &half, 2);
    return HalfToFloat(half);
  }
  std::vector<float> Run(const Table& table, const std::vector<float>& queries, const std::vector<int64_t>& first,
                         const std::vector<int64_t>& last, float softcap) const {
    const int rows = static_cast<int>(first.size());
    std::vector<float> out(queries.size()), scratch(static_cast<size_t>(rows) * (plain_keys.size() + 64));
    std::vector<const float*> query;
    std::vector<float*> to;
    std::vector<const uint8_t*> key_pages, value_pages;
    for (int r = 0; r < rows; ++r) {
      query.push_back(queries.data() + r * head_dim);
      to.push_back(out.data() + r * head_dim);
    }
    for (size_t p = 0; p < keys.size(); ++p) {
      key_pages.push_back(keys[p].data());
      value_pages.push_back(values[p].data());
    }
    const Attention work{rows,        head_dim,         query.data(),       to.data(), first.data(),
                         last.data(), key_pages.data(), value_pages.data(), page_keys, wide,
                         0.25f,       softcap,          scratch.data()};
    table.attend(&work);
    return out;
  }
};

TEST_P(Kernels, AttentionEqualsPlainArithmetic) {
  const Table& table = *GetParam();
  Rng rng(4);
  for (int dim : {16, 48, 64}) {
    for (bool wide : {false, true}) {
      for (int64_t positions : {1, 15, 16, 17, 33, 70}) {
        const Heads heads(dim, 32, wide, positions, &rng);
        for (int rows = 1; rows <= kMaxRows; ++rows) {
          std::vector<float> queries(static_cast<size_t>(rows * dim));
          for (float& q : queries) q = Normal(&rng);
          std::vector<int64_t> first, last;
          for (int r = 0; r < rows; ++r) {
            last.push_back(std::max<int64_t>(0, positions - rows + r));
            first.push_back(r % 2 == 0 ? 0 : std::max<int64_t>(0, last.back() - 20));
          }
          const float softcap = rows % 3 == 0 ? 5.0f : 0.0f;
          const std::vector<float> out = heads.Run(table, queries, first, last, softcap);
          for (int r = 0; r < rows; ++r) {
            std::vector<double> weights;
            double sum = 0;
            for (int64_t p = first[static_cast<size_t>(r)]; p <= last[static_cast<size_t>(r)]; ++p) {
              double dot = 0;
              for (int d = 0; d < dim; ++d) {
                dot += static_cast<double>(queries[static_cast<size_t>(r * dim + d)]) *
                       heads.plain_keys[static_cast<size_t>(p * dim + d)];
              }
              dot *= 0.25;
              if (softcap > 0) dot = std::tanh(dot / softcap) * softcap;
              weights.push_back(std::exp(dot));
              sum += weights.back();
            }
            for (int d = 0; d < dim; ++d) {
              double want = 0;
              for (size_t i = 0; i < weights.size(); ++i) {
                want += weights[i] / sum *
                        heads.plain_values[(static_cast<size_t>(first[static_cast<size_t>(r)]) + i) *
                                               static_cast<size_t>(dim) +
                                           static_cast<size_t>(d)];
              }
              ASSERT_NEAR(out[static_cast<size_t>(r * dim + d)], want, 2e-5)
                  << "dim " << dim << " rows " << rows << " positions " << positions;
            }
          }
        }
      }
    }
  }
}

TEST_P(Kernels, ARowIsTheSameBitsWhateverStandsBeside) {
  const Table& table = *GetParam();
  Rng rng(5);
  for (Format format : kQuantised) {
    const int64_t rows = 48, cols = 512, tokens = 31;
    const std::vector<uint8_t> blocks = RandomBlocks(format, rows, cols, &rng);
    PackedMatrix packed = AllocatePacked(format, rows, cols);
    PackPanels(blocks.data(), 0, packed.panels(), &packed);
    std::vector<float> x(static_cast<size_t>(tokens * cols));
    for (float& v : x) v = Normal(&rng);
    const Quants all(table, x, tokens, cols);
    std::vector<float> together(static_cast<size_t>(tokens * rows)), alone(static_cast<size_t>(rows));
    table.matmul_quantised(&packed, 0, packed.panels(), &all.rows, together.data(), rows);
    for (int64_t t = 0; t < tokens; ++t) {
      const std::vector<float> one(x.begin() + t * cols, x.begin() + (t + 1) * cols);
      const Quants single(table, one, 1, cols);
      for (int64_t p = 0; p < packed.panels(); ++p)
        table.matmul_quantised(&packed, p, p + 1, &single.rows, alone.data(), rows);
      ASSERT_EQ(std::memcmp(alone.data(), together.data() + t * rows, static_cast<size_t>(rows) * 4), 0)
          << Info(format).name;
    }
  }
  const Heads heads(64, 32, false, 90, &rng);
  std::vector<float> queries(8 * 64);
  for (float& q : queries) q = Normal(&rng);
  const std::vector<int64_t> first = {0, 0, 10, 17, 0, 40, 0, 70}, last = {82, 83, 84, 85, 86, 87, 88, 89};
  const std::vector<float> together = heads.Run(table, queries, first, last, 0);
  for (size_t r = 0; r < 8; ++r) {
    const std::vector<float> one(queries.begin() + static_cast<int64_t>(r) * 64,
                                 queries.begin() + static_cast<int64_t>(r + 1) * 64);
    const std::vector<float> alone = heads.Run(table, one, {first[r]}, {last[r]}, 0);
    ASSERT_EQ(std::memcmp(alone.data(), together.data() + r * 64, 64 * 4), 0) << "row " << r;
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Kernels, testing::ValuesIn(AvailableTables()),
                         [](const auto& tested) { return std::string(tested.param->name); });

TEST(Select, TheBestTableIsTheFirstOrTheOneAskedFor) {
  const char* wanted = std::getenv("ATELIER_ISA");
  EXPECT_EQ(BestTable().name, wanted == nullptr ? AvailableTables().front()->name : std::string_view(wanted));
#if defined(__x86_64__)
  EXPECT_EQ(__builtin_cpu_supports("avx512vnni") != 0, AvailableTables().front()->name == "avx512");
#endif
}

TEST(Format, HalvesRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = HalfToFloat(half);
    if (std::isnan(value)) continue;
    ASSERT_EQ(FloatToHalf(value), half);
  }
  EXPECT_EQ(FloatToHalf(65520.0f), 0x7c00);  // rounds to infinity
  EXPECT_EQ(FloatToHalf(65519.0f), 0x7bff);
  EXPECT_EQ(FloatToHalf(0x1p-25f), 0);  // half of the smallest, to even
  EXPECT_EQ(FloatToHalf(0x1.8p-25f), 1);
  EXPECT_EQ(FloatToBFloat(1.00390625f), 0x3f80);  // tie to even
}

}  // namespace
}  // namespace atelier::kernel
