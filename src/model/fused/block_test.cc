// Blocks by themselves, norms before and after their parts: sequences of different lengths, dropout, what is frozen.
// Whole models are held to their plain forms in gpt_test.cc and bert_test.cc.
#include "model/fused/block.h"

#include <gtest/gtest.h>

namespace atelier::model {
namespace {

using Affine = fused::BlockWeights::Affine;

fused::BlockWeights Weights(int64_t width, int64_t hidden, double deviation) {
  const auto affine = [&](int64_t outs, int64_t ins) {
    return Affine{torch::randn({outs, ins}) * deviation, torch::randn({outs}) * 0.1};
  };
  const auto norm = [&] { return Affine{torch::rand({width}) + 0.5, torch::randn({width}) * 0.1}; };
  return {.attn_norm = norm(),
          .q = affine(width, width),
          .k = affine(width, width),
          .v = affine(width, width),
          .output = affine(width, width),
          .ffn_norm = norm(),
          .gate = {},
          .up = affine(hidden, width),
          .down = affine(width, hidden)};
}

class FusedBlock : public testing::TestWithParam<bool> {
 protected:
  fused::BlockShape Shape(int64_t heads, std::vector<int64_t> starts) const {
    fused::BlockShape shape;
    shape.heads = shape.kv_heads = heads, shape.causal = false, shape.post = GetParam();
    shape.starts = std::move(starts);
    return shape;
  }
};

// Sequences of different lengths side by side, none of which sees another.
TEST_P(FusedBlock, KeepsRaggedSequencesApart) {
  torch::manual_seed(6);
  const int64_t width = 32, lengths[] = {5, 1, 70};
  const fused::BlockWeights w = Weights(width, 50, 0.2);
  const torch::NoGradGuard no_gradient;
  const torch::Tensor x = torch::randn({76, width});
  const torch::Tensor together = fused::Block(x, w, Shape(2, {0, 5, 6, 76}));
  int64_t at = 0;
  for (const int64_t n : lengths) {
    EXPECT_TRUE(torch::equal(fused::Block(x.narrow(0, at, n), w, Shape(2, {0, n})), together.narrow(0, at, n)));
    at += n;
  }
}

// Dropout drops in the way back what it dropped in the way forth: differences along a direction say so.
TEST_P(FusedBlock, DropoutHasItsGradient) {
  const int64_t width = 64;
  for (const bool of_attention : {false, true}) {
    torch::manual_seed(7);
    const fused::BlockWeights w = Weights(width, 64, 0.1);
    fused::BlockShape shape = Shape(4, {0, 33, 40});
    (of_attention ? shape.attention_dropout : shape.dropout) = 0.4;
    const torch::Tensor x = torch::randn({40, width}), way = torch::randn({40, width}), d = torch::randn({40, width});
    const auto value = [&](const torch::Tensor& at) {
      torch::manual_seed(11);
      return fused::Block(at, w, shape);
    };
    torch::Tensor leaf = x.clone().requires_grad_();
    value(leaf).backward(d);
    const torch::NoGradGuard no_gradient;
    const auto along = [&](double step) {
      return ((value(x + step * way) - value(x - step * way)) * d).sum().item<double>() / (2 * step);
    };
    const double want = (4 * along(0.04) - along(0.08)) / 3;  // bf16 wants long steps, curves bend on them
    const double got = (leaf.grad() * way).sum().item<double>();
    EXPECT_NEAR(got, want, 0.03 * (leaf.grad() * way).norm().item<double>() + 0.02 * std::abs(want));
    torch::manual_seed(12);
    EXPECT_FALSE(torch::equal(fused::Block(x, w, shape), value(x)));  // other seeds, other zeros
  }
}

// What wants no gradient gets none, and a block in which nothing wants one is no part of the graph.
TEST_P(FusedBlock, FrozenParametersGetNoGradient) {
  torch::manual_seed(8);
  fused::BlockWeights w = Weights(32, 40, 0.2);
  const fused::BlockShape shape = Shape(2, {0, 9});
  const torch::Tensor x = torch::randn({9, 32});
  EXPECT_FALSE(fused::Block(x, w, shape).requires_grad());
  for (torch::Tensor* p : {&w.k.weight, &w.up.bias, &w.ffn_norm.weight}) p->requires_grad_();
  fused::Block(x, w, shape).pow(3).sum().backward();
  for (const Affine* a : {&w.attn_norm, &w.q, &w.k, &w.v, &w.output, &w.ffn_norm, &w.up, &w.down}) {
    for (const torch::Tensor& p : {a->weight, a->bias}) {
      EXPECT_EQ(p.grad().defined(), p.requires_grad());
      EXPECT_TRUE(!p.requires_grad() || p.grad().abs().max().item<double>() > 1e-3);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Norms, FusedBlock, testing::Bool(),
                         [](const auto& each) { return each.param ? "after" : "before"; });

}  // namespace
}  // namespace atelier::model
