// The blocks that QuantiseRow makes, read by Dequantise, against quantisers of the plain kind written here: nearest
// integers between the least and the greatest number.
#include "kernel/quantise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "base/rng.h"

namespace atelier::kernel {
namespace {

constexpr Format kQuantised[] = {Format::kQ4_0, Format::kQ4_1, Format::kQ5_0, Format::kQ5_1,
                                 Format::kQ8_0, Format::kQ4_K, Format::kQ5_K, Format::kQ6_K};

float Normal(Rng* rng) {
  float sum = 0;
  for (int i = 0; i < 12; ++i) sum += static_cast<float>(rng->Uniform());
  return sum - 6.0f;
}

std::vector<float> Read(Format format, const std::vector<uint8_t>& blocks, size_t count) {
  std::vector<float> out(count);
  Dequantise(format, blocks.data(), static_cast<int64_t>(count), out.data());
  return out;
}

std::vector<uint8_t> Quantised(Format format, const std::vector<float>& x, const float* importance = nullptr) {
  const FormatInfo& info = Info(format);
  std::vector<uint8_t> blocks(x.size() / static_cast<size_t>(info.block) * static_cast<size_t>(info.bytes));
  EXPECT_TRUE(QuantiseRow(format, x.data(), static_cast<int64_t>(x.size()), importance, blocks.data())) << info.name;
  return blocks;
}

double SquareError(const std::vector<float>& x, const std::vector<float>& y, const std::vector<float>& weights = {}) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    sum += (x[i] - y[i]) * static_cast<double>(x[i] - y[i]) * (weights.empty() ? 1.0 : weights[i]);
  }
  return sum;
}

// Without blocks of halves: each group of the format's own size by its ends, scales exact.
std::vector<float> Plain(Format format, const std::vector<float>& x) {
  const StretchInfo info = StretchOf(format);
  const auto group = static_cast<size_t>(info.group);
  std::vector<float> out(x.size());
  for (size_t begin = 0; begin < x.size(); begin += group) {
    const auto [low, high] =
        std::minmax_element(x.begin() + static_cast<int64_t>(begin), x.begin() + static_cast<int64_t>(begin + group));
    const float most = static_cast<float>((1 << info.bits) - 1);
    const float least = info.has_min ? std::min(*low, 0.0f) : 0;
    const float ends = std::max(std::abs(*low), std::abs(*high));
    const float scale = info.has_min ? (*high - least) / most : ends / static_cast<float>((1 << (info.bits - 1)) - 1);
    for (size_t i = begin; i < begin + group; ++i) {
      out[i] = scale == 0 ? least : std::round((x[i] - least) / scale) * scale + least;
    }
  }
  return out;
}

struct Kind {
  const char* name;
  std::function<float(Rng*, size_t)> draw;
};

std::vector<Kind> Kinds() {
  return {{"normal", [](Rng* rng, size_t) { return 0.05f * Normal(rng); }},
          {"heavy tails", [](Rng* rng, size_t) { return 0.02f * std::pow(Normal(rng), 3.0f); }},
          {"all above", [](Rng* rng, size_t) { return 1.0f + static_cast<float>(rng->Uniform()); }},
          {"all below", [](Rng* rng, size_t) { return -3.0f - static_cast<float>(rng->Uniform()); }},
          {"one outlier", [](Rng* rng, size_t i) { return i % 97 == 5 ? 2.0f : 0.01f * Normal(rng); }},
          {"two values", [](Rng* rng, size_t) { return rng->Uniform() < 0.5 ? -0.5f : 0.5f; }},
          {"small", [](Rng* rng, size_t) { return 2e-3f * Normal(rng); }}};
}

TEST(Quantise, NoWorseThanTheEndsOfEachGroup) {
  for (const Format format : kQuantised) {
    for (const Kind& kind : Kinds()) {
      Rng rng(7);
      std::vector<float> x(4096);
      for (size_t i = 0; i < x.size(); ++i) x[i] = kind.draw(&rng, i);
      const double ours = SquareError(x, Read(format, Quantised(format, x), x.size()));
      const double plain = SquareError(x, Plain(format, x));
      double energy = 0;
      for (const float v : x) energy += static_cast<double>(v) * v;
      // What is stored is rounded: scales to 11 bits, and those of superblocks to six or eight.
      EXPECT_LE(ours, 1.15 * plain + 4e-6 * energy) << Info(format).name << ", " << kind.name;
    }
  }
}

TEST(Quantise, FindsLessErrorThanTheEndsWhereNumbersAreBells) {
  for (const Format format : {Format::kQ4_0, Format::kQ4_1, Format::kQ5_0, Format::kQ5_1, Format::kQ4_K}) {
    Rng rng(11);
    std::vector<float> x(1 << 15);
    for (float& v : x) v = 0.05f * Normal(&rng);
    const double ours = SquareError(x, Read(format, Quantised(format, x), x.size()));
    EXPECT_LT(ours, 0.95 * SquareError(x, Plain(format, x))) << Info(format).name;
  }
}

TEST(Quantise, ErrorMovesToWhereItCountsLess) {
  for (const Format format : kQuantised) {
    if (format == Format::kQ8_0) continue;  // fine enough without
    Rng rng(3);
    std::vector<float> x(8192), importance(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = 0.05f * Normal(&rng);
      importance[i] = i % 8 == 0 ? 100.0f : 0.1f;
    }
    const double with = SquareError(x, Read(format, Quantised(format, x, importance.data()), x.size()), importance);
    const double without = SquareError(x, Read(format, Quantised(format, x), x.size()), importance);
    EXPECT_LT(with, 0.9 * without) << Info(format).name;
  }
}

TEST(Quantise, WhatBlocksCanSayComesBack) {
  Rng rng(5);
  for (const Format format : {Format::kQ4_0, Format::kQ4_1, Format::kQ5_0, Format::kQ5_1, Format::kQ8_0}) {
    const StretchInfo info = StretchOf(format);
    std::vector<float> x(256);
    for (size_t i = 0; i < x.size(); ++i) {
      // Every group holds both ends, so that its scale is in the numbers.
      const int most = (1 << info.bits) - 1, q = i % 32 == 0 ? (info.zero == 128 ? 1 : 0)
                                                 : i % 32 == 1
                                                     ? most
                                                     : static_cast<int>(rng.Below(static_cast<uint64_t>(most))) + 1;
      x[i] = 0.25f * static_cast<float>(q - info.zero) + (info.has_min ? -1.5f : 0.0f);
    }
    EXPECT_LT(SquareError(x, Read(format, Quantised(format, x), x.size())), 1e-9) << Info(format).name;
  }
}

TEST(Quantise, ZerosAndConstants) {
  for (const Format format : kQuantised) {
    const std::vector<float> zeros(256);
    EXPECT_EQ(Read(format, Quantised(format, zeros), 256), zeros) << Info(format).name;
    for (const float value : {0.75f, -0.75f}) {
      const std::vector<float> same(256, value);
      for (const float v : Read(format, Quantised(format, same), 256)) EXPECT_NEAR(v, value, 0.01) << Info(format).name;
    }
    const std::vector<float> never(256, 0.0f);  // importance of columns that nothing was seen in
    std::vector<float> x(256);
    for (size_t i = 0; i < x.size(); ++i) x[i] = 0.01f * static_cast<float>(i % 32);
    EXPECT_LT(SquareError(x, Read(format, Quantised(format, x, never.data()), 256)), 0.03) << Info(format).name;
  }
}

TEST(Quantise, RefusesWhatCannotBeStored) {
  std::vector<uint8_t> blocks(2048);
  for (const Format format : kQuantised) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -3e38f}) {
      std::vector<float> x(256, 0.5f);
      x[77] = bad;
      EXPECT_FALSE(QuantiseRow(format, x.data(), 256, nullptr, blocks.data())) << Info(format).name << " " << bad;
    }
  }
  std::vector<float> x(256, 0.5f);
  x[3] = 70000;
  EXPECT_FALSE(QuantiseRow(Format::kF16, x.data(), 256, nullptr, blocks.data()));
  EXPECT_TRUE(QuantiseRow(Format::kBF16, x.data(), 256, nullptr, blocks.data()));
}

}  // namespace
}  // namespace atelier::kernel
