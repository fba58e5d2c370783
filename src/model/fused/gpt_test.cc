// The fused form of the decoder against its plain twin.
#include <gtest/gtest.h>

#include "base/error.h"
#include "model/fused/fused_testing.h"
#include "model/fused/head.h"
#include "model/gpt.h"

namespace atelier::model {
namespace {

struct Case {
  const char* name;
  GptConfig config;
  int64_t rows, time;
  double smoothing;
};

class FusedGpt : public testing::TestWithParam<Case> {};

TEST_P(FusedGpt, IsAsNearToF32AsPlainBf16) {
  const Case& c = GetParam();
  torch::manual_seed(5);
  Gpt gpt(c.config);
  Disturb(gpt, 0.08);
  gpt.train();
  Batch batch;
  batch.inputs = torch::randint(c.config.vocabulary, {c.rows, c.time}, torch::kInt64);
  batch.targets = torch::randint(c.config.vocabulary, {c.rows, c.time}, torch::kInt64);
  batch.targets[0][0] = kIgnored;
  if (c.time > 1) batch.targets[c.rows - 1][c.time - 1] = kIgnored;
  ExpectAsNearAsPlainBf16(gpt, batch, c.smoothing);
}

GptConfig Config(bool llama, int64_t layers, int64_t width, int64_t heads, int64_t kv_heads, int64_t hidden,
                 bool tied) {
  GptConfig c;
  c.llama = llama, c.vocabulary = 300, c.context = 100, c.layers = layers, c.width = width, c.heads = heads;
  c.kv_heads = kv_heads, c.hidden = hidden, c.tied = tied;
  return c;
}

INSTANTIATE_TEST_SUITE_P(Forms, FusedGpt,
                         testing::Values(Case{"gpt2", Config(false, 2, 64, 4, 4, 130, true), 3, 70, 0},
                                         Case{"llama", Config(true, 2, 64, 2, 1, 100, true), 4, 33, 0.1},
                                         Case{"untied", Config(true, 1, 80, 5, 5, 64, false), 1, 5, 0},
                                         Case{"one_token", Config(false, 1, 32, 1, 1, 33, true), 2, 1, 0}),
                         [](const auto& each) { return each.param.name; });

TEST(FusedHead, RefusesWhatIsOutsideTheVocabulary) {
  const torch::Tensor weight = torch::randn({10, 16}), x = torch::randn({2, 16});
  const torch::Tensor labels = torch::tensor({3, 10}, torch::kInt64);
  EXPECT_THROW(fused::HeadLoss(x, {}, weight, {}, labels, 0), Error);
  EXPECT_THROW(fused::Embed(weight, {}, labels), Error);
  const torch::NoGradGuard no_gradient;
  const torch::Tensor none = torch::full({2}, kIgnored, torch::kInt64);
  EXPECT_EQ(fused::HeadLoss(x, {}, weight, {}, none, 0).item<double>(), 0);
}

}  // namespace
}  // namespace atelier::model
