// The fused perceptrons against their plain twin: both parts of a GAN computed by torch.
#include <gtest/gtest.h>

#include "model/fused/fused_testing.h"
#include "model/fused/mlp.h"
#include "model/mlp_gan.h"

namespace atelier::model {
namespace {

class FusedGan : public testing::TestWithParam<size_t> {};

TEST_P(FusedGan, IsAsNearToF32AsPlainBf16) {
  torch::manual_seed(5);
  MlpGanConfig config;
  config.height = 5, config.width = 7, config.latent = 11, config.hidden = 70;
  MlpGan gan(config);
  Disturb(gan, 0.05);
  gan.train();
  const size_t part = GetParam();
  for (const auto& item : gan.named_parameters()) {  // as the trainer does
    item.value().set_requires_grad(item.key().starts_with(gan.Parts()[part].prefixes[0]));
  }
  Batch batch;
  batch.inputs = torch::rand({75, 5, 7});
  ExpectAsNearAsPlainBf16(gan, batch, 0.1, part);
}

INSTANTIATE_TEST_SUITE_P(Parts, FusedGan, testing::Values(0, 1),
                         [](const auto& each) { return each.param == 0 ? "discriminator" : "generator"; });

// Validation asks for losses without a graph, in both forms.
TEST(FusedMlp, GanRecordsNothingWhereNoGradientIsWanted) {
  MlpGanConfig config;
  config.height = 5, config.width = 7, config.latent = 11, config.hidden = 20;
  MlpGan gan(config);
  Batch batch;
  batch.inputs = torch::rand({4, 5, 7});
  for (const bool bf16 : {false, true}) {
    const Autocast autocast(bf16);
    for (const size_t part : {size_t{0}, size_t{1}}) {
      EXPECT_TRUE(gan.ComputeLoss(batch, part, {}).value.requires_grad());
      const torch::NoGradGuard no_gradient;
      EXPECT_FALSE(gan.ComputeLoss(batch, part, {}).value.requires_grad());
    }
  }
}

// What flows back to x is the slope, and what wants no gradient gets none.
TEST(FusedMlp, HandsOnTheGradientOfItsInput) {
  torch::manual_seed(6);
  const std::vector<fused::MlpLayer> layers = {{torch::randn({40, 12}) * 0.3, torch::randn({40}) * 0.1},
                                               {torch::randn({3, 40}) * 0.3, {}}};
  using kernel::Activation;
  for (const auto act : {Activation::kRelu, Activation::kLeakyRelu, Activation::kGelu, Activation::kTanh}) {
    std::vector<fused::MlpLayer> acting = layers;
    acting[0].act = act;
    const torch::Tensor x = torch::randn({5, 12}), d = torch::randn({5, 3});
    torch::Tensor leaf = x.clone().requires_grad_(), again = x.clone().requires_grad_();
    fused::Mlp(leaf, acting).backward(d);
    torch::Tensor h = torch::linear(again, layers[0].weight, layers[0].bias);
    h = act == Activation::kRelu   ? torch::relu(h)
        : act == Activation::kGelu ? torch::gelu(h)
        : act == Activation::kTanh ? torch::tanh(h)
                                   : torch::leaky_relu(h, 0.2);
    torch::linear(h, layers[1].weight).backward(d);
    EXPECT_LE((leaf.grad() - again.grad()).norm().item<double>(), 0.02 * again.grad().norm().item<double>());
    EXPECT_FALSE(layers[0].weight.grad().defined());
  }
}

std::vector<fused::MlpLayer> Three(double dropout) {
  const auto layer = [&](int64_t outs, int64_t ins, bool last) {
    return fused::MlpLayer{torch::randn({outs, ins}) * 0.2, torch::randn({outs}) * 0.1,
                           last ? kernel::Activation::kNone : kernel::Activation::kGelu, last ? 0 : dropout};
  };
  return {layer(70, 64, false), layer(64, 70, false), layer(8, 64, true)};
}

// Dropout drops in the way back what it dropped in the way forth: differences along a direction say so.
TEST(FusedMlp, DropoutHasItsGradient) {
  torch::manual_seed(7);
  const std::vector<fused::MlpLayer> layers = Three(0.4);
  const torch::Tensor x = torch::randn({40, 64}), way = torch::randn({40, 64}), d = torch::randn({40, 8});
  const auto value = [&](const torch::Tensor& at, uint64_t seed) {
    torch::manual_seed(seed);
    return fused::Mlp(at, layers);
  };
  torch::Tensor leaf = x.clone().requires_grad_();
  value(leaf, 11).backward(d);
  const torch::NoGradGuard no_gradient;
  const double want = ((value(x + 0.05 * way, 11) - value(x - 0.05 * way, 11)) * d).sum().item<double>() / 0.1;
  const double got = (leaf.grad() * way).sum().item<double>();
  EXPECT_NEAR(got, want, 0.03 * (leaf.grad() * way).norm().item<double>() + 0.02 * std::abs(want));
  EXPECT_FALSE(torch::equal(value(x, 12), value(x, 11)));
}

// Layers that learn above and below one that does not; all bits are the same however many threads share the work.
TEST(FusedMlp, PassesThroughWhatDoesNotLearnOnAnyNumberOfThreads) {
  torch::manual_seed(8);
  const torch::Tensor x = torch::randn({150, 64}), d = torch::randn({150, 8});
  std::vector<fused::MlpLayer> layers = Three(0.2);
  for (const size_t learns : {size_t{0}, size_t{2}}) {
    layers[learns].weight.requires_grad_(), layers[learns].bias.requires_grad_();
  }
  const int before = at::get_num_threads();
  const auto gradients = [&](int threads) {
    at::set_num_threads(threads);
    torch::manual_seed(9);
    for (fused::MlpLayer& layer : layers) layer.weight.mutable_grad() = layer.bias.mutable_grad() = torch::Tensor();
    fused::Mlp(x, layers).backward(d);
    EXPECT_FALSE(layers[1].weight.grad().defined());
    std::vector<torch::Tensor> all;
    for (const size_t i : {size_t{0}, size_t{2}}) {
      all.push_back(layers[i].weight.grad().clone());
      all.push_back(layers[i].bias.grad().clone());
    }
    return all;
  };
  const auto one = gradients(1);
  for (const int threads : {2, 3}) {
    const auto more = gradients(threads);
    for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(torch::equal(one[i], more[i])) << i;
  }
  at::set_num_threads(before);
  EXPECT_GT(one[0].abs().sum().item<double>(), 0);
}

}  // namespace
}  // namespace atelier::model
