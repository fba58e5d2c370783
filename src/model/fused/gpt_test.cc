// The fused form of the decoder against its plain twin: the same model computed by torch in f32. What bf16 costs is
// judged by what the plain form in bf16 autocast costs: the fused one may be no further from f32.
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "base/error.h"
#include "model/fused/decoder.h"
#include "model/fused/head.h"
#include "model/fused/ops.h"
#include "model/gpt.h"

namespace atelier::model {
namespace {

class Autocast {
 public:
  explicit Autocast(bool on) : on_(on) {
    if (!on_) return;
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, true);
  }
  ~Autocast() {
    if (!on_) return;
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
  }

 private:
  bool on_;
};

struct Result {
  double loss;
  std::map<std::string, torch::Tensor> gradients;
};

enum class How { kPlain, kPlainBf16, kFused };

Result RunOnce(Gpt& gpt, const Batch& batch, double smoothing, How how) {
  fused::SetEnabled(how == How::kFused);
  for (const auto& p : gpt.parameters()) {
    torch::Tensor parameter = p;
    parameter.mutable_grad() = torch::Tensor();
  }
  torch::Tensor loss;
  {
    const Autocast autocast(how != How::kPlain);
    loss = gpt.ComputeLoss(batch, 0, {smoothing}).value;
  }
  (loss * 0.5).backward();  // a share of a larger batch
  Result r{loss.item<double>(), {}};
  for (const auto& item : gpt.named_parameters()) r.gradients[item.key()] = item.value().grad().clone();
  fused::SetEnabled(true);
  return r;
}

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
  {
    const torch::NoGradGuard no_gradient;  // away from the first weights, where many gradients are almost 0
    for (const auto& item : gpt.named_parameters()) {
      torch::Tensor p = item.value();
      p.add_(torch::randn_like(p) * 0.08);
    }
  }
  gpt.train();
  Batch batch;
  batch.inputs = torch::randint(c.config.vocabulary, {c.rows, c.time}, torch::kInt64);
  batch.targets = torch::randint(c.config.vocabulary, {c.rows, c.time}, torch::kInt64);
  batch.targets[0][0] = kIgnored;
  if (c.time > 1) batch.targets[c.rows - 1][c.time - 1] = kIgnored;
  const Result want = RunOnce(gpt, batch, c.smoothing, How::kPlain),
               plain = RunOnce(gpt, batch, c.smoothing, How::kPlainBf16);
  const Result got = RunOnce(gpt, batch, c.smoothing, How::kFused);
  EXPECT_NEAR(got.loss, want.loss, 0.004 * want.loss);
  ASSERT_NE(got.loss, plain.loss) << "the fused form did not run";
  const double scale = [&] {
    double most = 0;
    for (const auto& [name, g] : want.gradients) most = std::max(most, g.norm().item<double>());
    return most;
  }();
  for (const auto& [name, exact] : want.gradients) {
    const double error = (got.gradients.at(name) - exact).norm().item<double>();
    const double allowed = (plain.gradients.at(name) - exact).norm().item<double>();
    EXPECT_LE(error, 1.5 * allowed + 1e-4 * scale) << name << ": " << error / exact.norm().item<double>();
    EXPECT_LE(error, 0.1 * exact.norm().item<double>() + 1e-3 * scale) << name;
  }
  // The same bits on any number of threads.
  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 2 : 1);
  const Result again = RunOnce(gpt, batch, c.smoothing, How::kFused);
  at::set_num_threads(threads);
  EXPECT_EQ(again.loss, got.loss);
  for (const auto& [name, g] : got.gradients) EXPECT_TRUE(torch::equal(g, again.gradients.at(name))) << name;
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

// Sequences of different lengths side by side, none of which sees another.
TEST(FusedBlock, KeepsRaggedSequencesApart) {
  torch::manual_seed(6);
  const int64_t width = 32, lengths[] = {5, 1, 70};
  const auto affine = [&](int64_t outs, int64_t ins) {
    return fused::BlockWeights::Affine{torch::randn({outs, ins}) * 0.2, torch::randn({outs}) * 0.1};
  };
  fused::BlockWeights w{{torch::randn({width}), torch::randn({width})},
                        affine(width, width),
                        affine(width, width),
                        affine(width, width),
                        affine(width, width),
                        {torch::randn({width}), torch::randn({width})},
                        {},
                        affine(50, width),
                        affine(width, 50)};
  fused::BlockShape shape;
  shape.heads = shape.kv_heads = 2, shape.causal = false;
  const torch::NoGradGuard no_gradient;
  const torch::Tensor x = torch::randn({76, width});
  shape.starts = {0, 5, 6, 76};
  const torch::Tensor together = fused::Block(x, w, shape);
  int64_t at = 0;
  for (const int64_t n : lengths) {
    shape.starts = {0, n};
    EXPECT_TRUE(torch::equal(fused::Block(x.narrow(0, at, n), w, shape), together.narrow(0, at, n)));
    at += n;
  }
}

// Dropout drops in the way back what it dropped in the way forth: differences along a direction say so.
TEST(FusedBlock, DropoutHasItsGradient) {
  const int64_t width = 64;
  torch::manual_seed(7);
  const auto affine = [&](int64_t outs, int64_t ins) {
    return fused::BlockWeights::Affine{torch::randn({outs, ins}) * 0.1, torch::zeros({outs})};
  };
  fused::BlockWeights w{{torch::ones({width}), torch::zeros({width})},
                        affine(width, width),
                        affine(width, width),
                        affine(width, width),
                        affine(width, width),
                        {torch::ones({width}), torch::zeros({width})},
                        {},
                        affine(64, width),
                        affine(width, 64)};
  fused::BlockShape shape;
  shape.heads = shape.kv_heads = 4, shape.dropout = 0.4, shape.starts = {0, 40};
  const torch::Tensor x = torch::randn({40, width}), way = torch::randn({40, width}), d = torch::randn({40, width});
  const auto value = [&](const torch::Tensor& at) {
    torch::manual_seed(11);
    return fused::Block(at, w, shape);
  };
  torch::Tensor leaf = x.clone().requires_grad_();
  value(leaf).backward(d);
  const torch::NoGradGuard no_gradient;
  const double want = ((value(x + 0.05 * way) - value(x - 0.05 * way)) * d).sum().item<double>() / 0.1;
  const double got = (leaf.grad() * way).sum().item<double>();
  EXPECT_NEAR(got, want, 0.03 * (leaf.grad() * way).norm().item<double>() + 0.02 * std::abs(want));
  torch::manual_seed(12);
  EXPECT_FALSE(torch::equal(fused::Block(x, w, shape), value(x)));  // other seeds, other zeros
}

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
