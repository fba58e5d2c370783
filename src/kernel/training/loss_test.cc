// The output head with cross-entropy, every table against a softmax in double over whole rows.
#include "kernel/training/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.h"
#include "kernel/format.h"
#include "kernel/training/select.h"

namespace atelier::kernel {
namespace {

using Floats = std::vector<float>;
using Brains = std::vector<uint16_t>;

class TrainLoss : public testing::TestWithParam<const TrainTable*> {};

// Everything that a block of tokens needs.
struct Block {
  int64_t rows, words, depth;
  Brains x, packed, scores, interleaved;
  Floats w, bias, greatest, sums, totals, label_logit, loss, log_sum;
  std::vector<int64_t> labels;
  HeadLoss work;

  Block(int64_t rows_, int64_t words_, int64_t depth_, float size, float smoothing, Rng* rng)
      : rows(rows_), words(words_), depth(depth_) {
    const auto floats = [](int64_t n) { return Floats(static_cast<size_t>(n), -9.0f); };
    const auto brains = [](int64_t n) { return Brains(static_cast<size_t>(n), 0x7fc0); };
    x = brains(rows * depth), w = floats(words * depth), bias = floats(words);
    // Multiples of 1/64: what every table multiplies as it is (table.h).
    const auto draw = [&] { return static_cast<float>(std::round(rng->Uniform() * 128 - 64) / 64); };
    for (uint16_t& v : x) v = FloatToBFloat(draw() * size);
    for (float& v : w) v = draw();
    for (float& v : bias) v = static_cast<float>(rng->Uniform() * 2 - 1);
    packed = brains(PackedSize(words, depth));
    ReferenceTrainTable().pack_weights(w.data(), depth, words, depth, 0, Panels(words), packed.data(), nullptr);
    for (int64_t r = 0; r < rows; ++r)
      labels.push_back(r % 5 == 3 ? (r % 2 ? -100 : words)
                                  : static_cast<int64_t>(rng->Next() % static_cast<uint64_t>(words)));
    const int64_t panels = Panels(words);
    scores = brains(rows * panels * kProductPanel), interleaved = brains(PackedSize(words, rows));
    greatest = sums = totals = floats(rows * panels);
    label_logit = loss = log_sum = floats(rows);
    work = {.rows = rows,
            .vocabulary = words,
            .depth = depth,
            .x = x.data(),
            .x_stride = depth,
            .w = packed.data(),
            .bias = bias.data(),
            .labels = labels.data(),
            .smoothing = smoothing,
            .scale = 0.5f,
            .scores = scores.data(),
            .greatest = greatest.data(),
            .sums = sums.data(),
            .totals = smoothing > 0 ? totals.data() : nullptr,
            .label_logit = label_logit.data(),
            .loss = loss.data(),
            .log_sum = log_sum.data(),
            .interleaved = interleaved.data()};
  }
  void Run(const TrainTable& table) {
    table.head_scores(&work, 0, rows, 0, Panels(words));
    table.head_finish(&work, 0, rows);
  }
  float Logit(int64_t r, int64_t j, double* exact) const {
    double sum = bias[static_cast<size_t>(j)];
    for (int64_t k = 0; k < depth; ++k)
      sum += static_cast<double>(BFloatToFloat(x[static_cast<size_t>(r * depth + k)])) *
             w[static_cast<size_t>(j * depth + k)];
    *exact = sum;
    return static_cast<float>(sum);
  }
  void Check() const {
    const int64_t stride = Panels(words) * kProductPanel;
    for (int64_t r = 0; r < rows; ++r) {
      std::vector<double> logits(static_cast<size_t>(words));
      double top = -1e300, sum = 0, total = 0;
      for (int64_t j = 0; j < words; ++j) {
        double& logit = logits[static_cast<size_t>(j)];
        Logit(r, j, &logit);
        top = std::max(top, logit), total += logit;
      }
      for (double logit : logits) sum += std::exp(logit - top);
      const double exact = top + std::log(sum), s = work.smoothing;
      const int64_t label = labels[static_cast<size_t>(r)];
      const bool counts = label >= 0 && label < words;
      const double near = 1e-5 * (1 + std::abs(top));
      ASSERT_NEAR(exact, log_sum[static_cast<size_t>(r)], near);
      double want = 0;
      if (counts) {
        want =
            (1 - s) * (exact - logits[static_cast<size_t>(label)]) + s * (exact - total / static_cast<double>(words));
      }
      ASSERT_NEAR(loss[static_cast<size_t>(r)], want, near) << "row " << r;
      for (int64_t j = 0; j < stride; ++j) {
        const uint16_t got = scores[static_cast<size_t>(r * stride + j)];
        const int64_t place = j / 64 * ((rows + 1) / 2) * 128 + r / 2 * 128 + j % 64 * 2 + r % 2;
        ASSERT_EQ(got, interleaved[static_cast<size_t>(place)]);
        if (r % 2 == 0 && r + 1 == rows) {
          ASSERT_EQ(interleaved[static_cast<size_t>(place) + 1] & 0x7fff, 0);
        }
        double g = 0, p = 0;
        if (counts && j < words) {
          p = std::exp(logits[static_cast<size_t>(j)] - exact);
          g = (p - (j == label) * (1 - s) - s / static_cast<double>(words)) * 0.5;
        }
        // e and the gradient are rounded to bf16, one after the other; the label's e is not.
        const double slack = j == label ? std::abs(g) * 0.004 + near : (0.5 * p) * 0.0041 + std::abs(g) * 0.0041;
        ASSERT_NEAR(BFloatToFloat(got), g, slack + 1e-7) << "row " << r << " word " << j << " of " << words;
      }
    }
  }
};

TEST_P(TrainLoss, LossAndGradientEqualPlainArithmetic) {
  Rng rng(1);
  for (const int64_t rows : {1, 2, 5, 7, 66}) {
    for (const int64_t words : {1, 2, 63, 64, 65, 127, 200, 1100}) {
      for (const float size : {0.125f, 2.0f, 32.0f}) {
        Block block(rows, words, 17, size, rows % 2 ? 0.1f : 0, &rng);
        block.Run(*GetParam());
        block.Check();
      }
    }
  }
}

// Weights that come panel by panel, and a gradient that no weight's gradient is made of.
TEST_P(TrainLoss, PanelsOneByOneGiveTheSameBits) {
  const TrainTable& table = *GetParam();
  Rng rng(3), again(3);
  Block whole(70, 300, 33, 1, 0.1f, &rng), parts(70, 300, 33, 1, 0.1f, &again);
  whole.Run(table);
  const int64_t size = PackedSize(kProductPanel, 33);
  parts.work.interleaved = nullptr;
  for (int64_t panel = 0; panel < Panels(300); ++panel) {
    const Brains one(parts.packed.begin() + panel * size, parts.packed.begin() + (panel + 1) * size);
    parts.work.w = one.data(), parts.work.w_panel = panel;
    table.head_scores(&parts.work, 0, 70, panel, panel + 1);
  }
  table.head_finish(&parts.work, 0, 70);
  EXPECT_EQ(whole.loss, parts.loss);
  EXPECT_EQ(whole.scores, parts.scores);
  parts.work.slopes = false;
  const Brains before = parts.scores;
  table.head_finish(&parts.work, 0, 70);
  EXPECT_EQ(before, parts.scores);
}

TEST_P(TrainLoss, AnyCutOfTheWorkGivesTheSameBits) {
  const TrainTable& table = *GetParam();
  Rng rng(2);
  Block whole(150, 300, 33, 1, 0.1f, &rng);
  Rng again(2);
  Block parts(150, 300, 33, 1, 0.1f, &again);
  whole.Run(table);
  for (int64_t panel = 4; panel >= 0; --panel) {
    table.head_scores(&parts.work, 64, 150, panel, panel + 1);
    table.head_scores(&parts.work, 0, 64, panel, panel + 1);
  }
  table.head_finish(&parts.work, 92, 150);
  table.head_finish(&parts.work, 0, 92);
  EXPECT_EQ(whole.loss, parts.loss);
  EXPECT_EQ(whole.scores, parts.scores);
  EXPECT_EQ(whole.interleaved, parts.interleaved);
}

// Finite logits give finite losses however far apart they are; what is not finite stays in its row.
TEST_P(TrainLoss, HoldsAtTheExtremes) {
  Rng rng(3);
  Block block(6, 130, 4, 1, 0, &rng);
  block.labels = {0, 1, 129, 3, -1, 5};
  block.work.labels = block.labels.data();
  for (uint16_t& v : block.x) v = FloatToBFloat(1e18f);
  for (float& v : block.w) v = v * 1e18f;
  for (int64_t k = 0; k < 4; ++k) {
    block.x[static_cast<size_t>(1 * 4 + k)] = 0;                   // all words alike but for the bias
    block.x[static_cast<size_t>(3 * 4 + k)] = FloatToBFloat(NAN);  // counts
    block.x[static_cast<size_t>(4 * 4 + k)] = FloatToBFloat(NAN);  // does not
    block.x[static_cast<size_t>(5 * 4 + k)] = 0;
  }
  block.bias[70] = -std::numeric_limits<float>::infinity();  // a forbidden word
  for (int64_t j = 64; j < 128; ++j) block.bias[static_cast<size_t>(j)] = -std::numeric_limits<float>::infinity();
  ReferenceTrainTable().pack_weights(block.w.data(), 4, 130, 4, 0, Panels(130), block.packed.data(), nullptr);
  block.Run(*GetParam());
  for (size_t r = 0; r < 6; ++r) EXPECT_EQ(std::isfinite(block.loss[r]), r != 3) << r << " " << block.loss[r];
  EXPECT_EQ(block.loss[4], 0);
  for (int64_t j = 0; j < 192; ++j) {
    EXPECT_EQ(block.scores[static_cast<size_t>(4 * 192 + j)] & 0x7fff, 0);
    for (const int64_t r : {0, 1, 2, 5}) {
      const float g = BFloatToFloat(block.scores[static_cast<size_t>(r * 192 + j)]);
      ASSERT_TRUE(std::isfinite(g)) << r << " " << j;
      if (j >= 64 && j < 128) {
        ASSERT_EQ(g, 0);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllTables, TrainLoss, testing::ValuesIn(AvailableTrainTables()),
                         [](const auto& each) { return std::string(each.param->name); });

}  // namespace
}  // namespace atelier::kernel
