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

// What flows back to x is the slope, and what wants no gradient gets none.
TEST(FusedMlp, HandsOnTheGradientOfItsInput) {
  torch::manual_seed(6);
  const std::vector<fused::MlpLayer> layers = {{torch::randn({40, 12}) * 0.3, torch::randn({40}) * 0.1},
                                               {torch::randn({3, 40}) * 0.3, {}}};
  for (const auto act : {kernel::Activation::kRelu, kernel::Activation::kLeakyRelu, kernel::Activation::kGelu}) {
    const torch::Tensor x = torch::randn({5, 12}), d = torch::randn({5, 3});
    torch::Tensor leaf = x.clone().requires_grad_(), again = x.clone().requires_grad_();
    fused::Mlp(leaf, layers, act).backward(d);
    torch::Tensor h = torch::linear(again, layers[0].weight, layers[0].bias);
    h = act == kernel::Activation::kRelu   ? torch::relu(h)
        : act == kernel::Activation::kGelu ? torch::gelu(h)
                                           : torch::leaky_relu(h, 0.2);
    torch::linear(h, layers[1].weight).backward(d);
    EXPECT_LE((leaf.grad() - again.grad()).norm().item<double>(), 0.02 * again.grad().norm().item<double>());
    EXPECT_FALSE(layers[0].weight.grad().defined());
  }
}

// Dropout drops in the way back what it dropped in the way forth: differences along a direction say so.
TEST(FusedMlp, DropoutHasItsGradient) {
  torch::manual_seed(7);
  const std::vector<fused::MlpLayer> layers = {{torch::randn({64, 64}) * 0.2, torch::randn({64}) * 0.1},
                                               {torch::randn({64, 64}) * 0.2, torch::randn({64}) * 0.1},
                                               {torch::randn({8, 64}) * 0.2, {}}};
  const torch::Tensor x = torch::randn({40, 64}), way = torch::randn({40, 64}), d = torch::randn({40, 8});
  const auto value = [&](const torch::Tensor& at, uint64_t seed) {
    torch::manual_seed(seed);
    return fused::Mlp(at, layers, kernel::Activation::kGelu, 0.4);
  };
  torch::Tensor leaf = x.clone().requires_grad_();
  value(leaf, 11).backward(d);
  const torch::NoGradGuard no_gradient;
  const double want = ((value(x + 0.05 * way, 11) - value(x - 0.05 * way, 11)) * d).sum().item<double>() / 0.1;
  const double got = (leaf.grad() * way).sum().item<double>();
  EXPECT_NEAR(got, want, 0.03 * (leaf.grad() * way).norm().item<double>() + 0.02 * std::abs(want));
  EXPECT_FALSE(torch::equal(value(x, 12), value(x, 11)));
}

}  // namespace
}  // namespace atelier::model
