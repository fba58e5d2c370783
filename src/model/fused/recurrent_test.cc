// Fused LSTMs against torch's own: the same layers and models computed by torch in f32.
#include "model/fused/recurrent.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "model/fused/fused_testing.h"
#include "model/recurrent_lm.h"

namespace atelier::model {
namespace {

struct RecurrentCase {
  const char* name;
  int64_t embedding, width, layers;
  bool tied;
  int64_t rows, time;
  double smoothing;
};

// oneDNN has LSTMs in bf16 on some processors alone; torch's own run everywhere.
class FusedLstm : public testing::Test {
 protected:
  void SetUp() override { at::globalContext().setUserEnabledMkldnn(false); }
  void TearDown() override { at::globalContext().setUserEnabledMkldnn(true); }
};

class FusedRecurrentLm : public FusedLstm, public testing::WithParamInterface<RecurrentCase> {};

TEST_P(FusedRecurrentLm, IsAsNearToF32AsPlainBf16) {
  const RecurrentCase& c = GetParam();
  torch::manual_seed(5);
  RecurrentLmConfig config;
  config.vocabulary = 300, config.embedding = c.embedding, config.width = c.width, config.layers = c.layers;
  config.tied = c.tied;
  RecurrentLm lm(config);
  Batch batch;
  batch.inputs = torch::randint(config.vocabulary, {c.rows, c.time}, torch::kInt64);
  batch.targets = torch::randint(config.vocabulary, {c.rows, c.time}, torch::kInt64);
  batch.targets[0][0] = kIgnored;
  Disturb(lm, 0.1);
  lm.train();
  ExpectAsNearAsPlainBf16(lm, batch, c.smoothing);
}

INSTANTIATE_TEST_SUITE_P(Forms, FusedRecurrentLm,
                         testing::Values(RecurrentCase{"two_layers", 32, 128, 2, false, 5, 20, 0},
                                         RecurrentCase{"odd_widths", 37, 101, 2, false, 3, 9, 0.1},
                                         RecurrentCase{"tied", 80, 80, 1, true, 70, 6, 0},
                                         RecurrentCase{"one_token", 32, 64, 1, false, 3, 1, 0}),
                         [](const auto& each) { return each.param.name; });

// One layer over ragged sequences, from a first state, with gradients of everything that comes in and goes out.
struct Layer {
  std::vector<int64_t> sizes;  // of each time
  torch::Tensor x, h, c;       // leaves
  std::vector<torch::Tensor> parameters;
  torch::Tensor d_rows, d_h, d_c;

  Layer(std::vector<int64_t> times, int64_t ins, int64_t hidden) : sizes(std::move(times)) {
    torch::manual_seed(8);
    int64_t rows = 0;
    for (const int64_t size : sizes) rows += size;
    const auto leaf = [](torch::IntArrayRef shape, double deviation) {
      return (torch::randn(shape) * deviation).requires_grad_();
    };
    x = leaf({rows, ins}, 1), h = leaf({sizes[0], hidden}, 0.5), c = leaf({sizes[0], hidden}, 0.5);
    parameters = {leaf({4 * hidden, ins}, 0.3), leaf({4 * hidden, hidden}, 0.2), leaf({4 * hidden}, 0.3),
                  leaf({4 * hidden}, 0.3)};
    d_rows = torch::randn({rows, hidden}), d_h = torch::randn({sizes[0], hidden});
    d_c = torch::randn({sizes[0], hidden});
  }

  std::vector<torch::Tensor> Leaves(bool state) const {
    std::vector<torch::Tensor> leaves = parameters;
    leaves.push_back(x);
    if (state) leaves.insert(leaves.end(), {h, c});
    return leaves;
  }

  // Rows, h and c behind them, then the gradients of Leaves().
  std::vector<torch::Tensor> Results(std::vector<torch::Tensor> out, bool state) const {
    ((out[0].to(torch::kFloat32) * d_rows).sum() + (out[1] * d_h).sum() + (out[2] * d_c).sum()).backward();
    for (torch::Tensor& each : out) each = each.detach().to(torch::kFloat32);
    for (torch::Tensor& leaf : Leaves(state)) {
      out.push_back(leaf.grad().clone());
      leaf.mutable_grad() = torch::Tensor();
    }
    return out;
  }

  std::vector<torch::Tensor> Fused(bool reverse, bool state) const {
    const fused::LstmOutput out = fused::Lstm(x, sizes, {parameters[0], parameters[1], parameters[2], parameters[3]},
                                              state ? fused::LstmState{h, c} : fused::LstmState{}, reverse);
    return Results({out.rows, out.after.h, out.after.c}, state);
  }

  // One direction of torch's own LSTM in both.
  std::vector<torch::Tensor> Torch(bool reverse, bool state, bool bf16) const {
    const Autocast autocast(bf16);
    std::vector<torch::Tensor> both = parameters;
    both.insert(both.end(), parameters.begin(), parameters.end());
    const auto two = [&](const torch::Tensor& s) {
      return state ? torch::stack({s, s}) : torch::zeros_like(torch::stack({s, s}));
    };
    const auto [rows, after_h, after_c] =
        at::lstm(x, torch::tensor(sizes), {two(h), two(c)}, both, true, 1, 0.0, true, /*bidirectional=*/true);
    const int64_t side = reverse ? 1 : 0;
    return Results({rows.chunk(2, 1)[side], after_h[side], after_c[side]}, state);
  }
};

TEST_F(FusedLstm, RunsRaggedSequencesEitherWayFromAnyState) {
  for (const auto& sizes : {std::vector<int64_t>{9, 9, 7, 7, 3, 1, 1}, {4, 4, 4}, {70}}) {
    const Layer layer(sizes, 40, 96);
    for (const bool reverse : {false, true}) {
      for (const bool state : {false, true}) {
        const auto want = layer.Torch(reverse, state, false), plain = layer.Torch(reverse, state, true);
        const auto got = layer.Fused(reverse, state);
        ASSERT_EQ(got.size(), want.size());
        for (size_t i = 0; i < got.size(); ++i) {
          const double size = want[i].norm().item<double>(), error = (got[i] - want[i]).norm().item<double>();
          EXPECT_LE(error, 1.5 * (plain[i] - want[i]).norm().item<double>() + 1e-4 * size)
              << i << " of " << reverse << state;
          EXPECT_LE(error, 0.02 * size) << i << " of " << reverse << state;
        }
        at::set_num_threads(at::get_num_threads() == 1 ? 2 : 1);
        const auto again = layer.Fused(reverse, state);
        for (size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(torch::equal(again[i], got[i])) << i;
      }
    }
  }
}

// Directional differences know nothing of torch's LSTM.
TEST_F(FusedLstm, HasTheGradientOfItsDifferences) {
  const Layer layer({8, 6, 6, 2}, 24, 64);
  const auto& p = layer.parameters;
  for (const bool reverse : {false, true}) {
    const auto value = [&](const torch::Tensor& x, const torch::Tensor& h, const torch::Tensor& c) {
      const torch::NoGradGuard no_gradient;
      const fused::LstmOutput out = fused::Lstm(x, layer.sizes, {p[0], p[1], p[2], p[3]}, {h, c}, reverse);
      return (out.rows.to(torch::kFloat64) * layer.d_rows).sum() + (out.after.h * layer.d_h).sum() +
             (out.after.c * layer.d_c).sum();
    };
    const auto got = layer.Fused(reverse, true);
    const torch::Tensor leaves[] = {layer.x.detach(), layer.h.detach(), layer.c.detach()};
    for (size_t i = 0; i < 3; ++i) {
      const torch::Tensor gradient = got[7 + i], way = gradient / gradient.norm();
      torch::Tensor above[] = {leaves[0], leaves[1], leaves[2]}, below[] = {leaves[0], leaves[1], leaves[2]};
      above[i] = leaves[i] + 0.2 * way, below[i] = leaves[i] - 0.2 * way;
      const double want =
          (value(above[0], above[1], above[2]) - value(below[0], below[1], below[2])).item<double>() / 0.4;
      EXPECT_NEAR(gradient.norm().item<double>(), want, 0.05 * std::abs(want)) << i;
    }
  }
}

// Through the module: the plain form in f32 says what each place and state should be.
TEST_F(FusedLstm, ModuleGivesWhatThePlainFormGives) {
  torch::manual_seed(5);
  Recurrent layers({false, 30, 32, 2, 0, true});
  const torch::NoGradGuard no_gradient;
  const torch::Tensor x = torch::randn({3, 5, 30});
  for (const torch::Tensor& lengths : {torch::Tensor(), torch::tensor({2, 5, 1})}) {
    const auto run = [&](bool fused) {
      const Autocast autocast(fused);
      return layers.forward(x, lengths);
    };
    const Recurrent::Output want = run(false), got = run(true);
    EXPECT_EQ(got.all.scalar_type(), torch::kBFloat16) << "the fused form did not run";
    const std::pair<torch::Tensor, torch::Tensor> pairs[] = {
        {got.all, want.all}, {got.hidden, want.hidden}, {got.cell, want.cell}};
    for (const auto& [a, b] : pairs) {
      ASSERT_EQ(a.sizes(), b.sizes());
      EXPECT_LT((a - b).abs().max().item<double>(), 0.01);
      EXPECT_TRUE(torch::equal(a == 0, b == 0));  // behind a row's end
    }
  }
}

}  // namespace
}  // namespace atelier::model
