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

// Validation asks for losses without a way back, in both forms.
TEST(FusedMlp, GanKeepsNothingWhereNoGradientIsWanted) {
  MlpGanConfig config;
  config.height = 5, config.width = 7, config.latent = 11, config.hidden = 20;
  MlpGan gan(config);
  Batch batch;
  batch.inputs = torch::rand({4, 5, 7});
  for (const bool bf16 : {false, true}) {
    const Autocast autocast(bf16);
    const auto goes_back = [&](size_t part) {
      const Loss loss = gan.ComputeLoss(batch, part, {});
      EXPECT_EQ(loss.way_back != nullptr && loss.value.requires_grad(), false);
      return loss.way_back != nullptr || loss.value.requires_grad();
    };
    for (const size_t part : {size_t{0}, size_t{1}}) {
      EXPECT_TRUE(goes_back(part));
      const torch::NoGradGuard no_gradient;
      EXPECT_FALSE(goes_back(part));
    }
  }
}

torch::Tensor Brained(const torch::Tensor& x) { return x.to(torch::kBFloat16).contiguous(); }

// Through every activation, to the layer below it.
TEST(FusedMlp, HandsDownTheSlope) {
  torch::manual_seed(6);
  using kernel::Activation;
  for (const auto act : {Activation::kRelu, Activation::kLeakyRelu, Activation::kGelu, Activation::kTanh}) {
    std::vector<fused::MlpLayer> layers = {{torch::randn({40, 12}) * 0.3, torch::randn({40}) * 0.1, act},
                                           {torch::randn({3, 40}) * 0.3, {}}};
    layers[0].weight.requires_grad_();
    const torch::Tensor x = Brained(torch::randn({5, 12})), d = torch::randn({5, 3});
    fused::RunMlp(x, layers).backward(d);
    const torch::Tensor w = layers[0].weight.detach().clone().requires_grad_();
    torch::Tensor h = torch::linear(x.to(torch::kFloat32), w, layers[0].bias);
    h = act == Activation::kRelu   ? torch::relu(h)
        : act == Activation::kGelu ? torch::gelu(h)
        : act == Activation::kTanh ? torch::tanh(h)
                                   : torch::leaky_relu(h, 0.2);
    torch::linear(h, layers[1].weight).backward(d);
    EXPECT_LE((layers[0].weight.grad() - w.grad()).norm().item<double>(), 0.02 * w.grad().norm().item<double>());
    EXPECT_FALSE(layers[1].weight.grad().defined());
    EXPECT_FALSE(layers[0].bias.grad().defined());
  }
}

// What is packed is kept until a weight changes: by torch, or by who writes past it and says so.
TEST(FusedMlp, AWeightThatChangesIsPackedAnew) {
  torch::manual_seed(10);
  const std::vector<fused::MlpLayer> layers = {{torch::randn({8, 64}), {}}};
  torch::Tensor weight = layers[0].weight;
  const torch::Tensor x = Brained(torch::randn({4, 64}));
  const auto expect = [&](double factor) {
    const torch::Tensor want = torch::linear(x.to(torch::kFloat32), weight.detach());
    EXPECT_TRUE(torch::allclose(fused::RunMlp(x, layers).out, want, 0.02, 0.2)) << factor;
  };
  expect(1);
  weight.mul_(3);
  expect(3);
  for (int64_t i = 0; i < weight.numel(); ++i) weight.data_ptr<float>()[i] *= 2;
  EXPECT_FALSE(torch::allclose(fused::RunMlp(x, layers).out, torch::linear(x.to(torch::kFloat32), weight), 0.02, 0.2))
      << "nothing is kept";
  torch::autograd::impl::bump_version(weight);
  expect(6);
  weight.set_data(weight.detach().clone() * 0.5);
  expect(3);
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
  std::vector<fused::MlpLayer> layers = Three(0.4);
  const torch::Tensor x = Brained(torch::randn({40, 64})), way = torch::randn({70, 64}), d = torch::randn({40, 8});
  torch::Tensor weight = layers[0].weight.requires_grad_();
  const auto run = [&](uint64_t seed) {
    torch::manual_seed(seed);
    return fused::RunMlp(x, layers);
  };
  run(11).backward(d);
  const torch::NoGradGuard no_gradient;
  const torch::Tensor at = weight.clone();
  const auto value = [&](double step) {
    weight.copy_(at + step * way);
    return (run(11).out * d).sum().item<double>();
  };
  const double want = (value(0.02) - value(-0.02)) / 0.04;
  const double got = (weight.grad() * way).sum().item<double>();
  EXPECT_NEAR(got, want, 0.03 * (weight.grad() * way).norm().item<double>() + 0.03 * std::abs(want));
  EXPECT_FALSE(torch::equal(run(12).out, run(11).out));
}

// Layers that learn above and below one that does not; all bits are the same however many threads share the work.
TEST(FusedMlp, PassesThroughWhatDoesNotLearnOnAnyNumberOfThreads) {
  torch::manual_seed(8);
  const torch::Tensor x = Brained(torch::randn({150, 64})), d = torch::randn({150, 8});
  std::vector<fused::MlpLayer> layers = Three(0.2);
  for (const size_t learns : {size_t{0}, size_t{2}}) {
    layers[learns].weight.requires_grad_(), layers[learns].bias.requires_grad_();
  }
  const int before = at::get_num_threads();
  const auto gradients = [&](int threads) {
    at::set_num_threads(threads);
    torch::manual_seed(9);
    for (fused::MlpLayer& layer : layers) layer.weight.mutable_grad() = layer.bias.mutable_grad() = torch::Tensor();
    fused::RunMlp(x, layers).backward(d);
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
