// For tests of fused forms: a model's run in f32, which its plain form computes with torch, in bf16 autocast, and
// fused. What bf16 costs is judged by what the plain form in bf16 autocast costs: the fused one may be no further from
// f32.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>
#include <string>

#include "model/autocast.h"
#include "model/fused/ops.h"
#include "model/model.h"

namespace atelier::model {

struct Result {
  double loss;
  std::map<std::string, torch::Tensor> gradients;  // of the parameters that have one
};

enum class How { kPlain, kPlainBf16, kFused };

inline Result RunOnce(Model& model, const Batch& batch, double smoothing, How how, size_t part = 0) {
  fused::SetEnabled(how == How::kFused);
  for (const auto& p : model.parameters()) {
    torch::Tensor parameter = p;
    parameter.mutable_grad() = torch::Tensor();
  }
  Loss loss;
  {
    const Autocast autocast(how != How::kPlain);
    loss = model.ComputeLoss(batch, part, {smoothing});
  }
  loss.Backward(0.5);  // a share of a larger batch
  Result r{loss.value.item<double>(), {}};
  for (const auto& item : model.named_parameters()) {
    if (item.value().grad().defined()) r.gradients[item.key()] = item.value().grad().clone();
  }
  fused::SetEnabled(true);
  return r;
}

// Away from the first weights, where many gradients are almost 0.
inline void Disturb(const Model& model, double deviation) {
  const torch::NoGradGuard no_gradient;
  for (torch::Tensor p : model.parameters()) p.add_(torch::randn_like(p) * deviation);
}

// The fused form's loss and gradients, each within `most` times plain bf16's error, and the same bits on any number of
// threads.
inline void ExpectAsNearAsPlainBf16(Model& model, const Batch& batch, double smoothing, size_t part = 0,
                                    double most = 1.5) {
  const auto run = [&](How how) {
    torch::manual_seed(21);  // what a model draws is the same in all forms
    return RunOnce(model, batch, smoothing, how, part);
  };
  const Result want = run(How::kPlain), plain = run(How::kPlainBf16), got = run(How::kFused);
  EXPECT_NEAR(got.loss, want.loss, 0.004 * want.loss);
  ASSERT_NE(got.loss, plain.loss) << "the fused form did not run";
  const double scale = [&] {
    double greatest = 0;
    for (const auto& [name, g] : want.gradients) greatest = std::max(greatest, g.norm().item<double>());
    return greatest;
  }();
  ASSERT_EQ(got.gradients.size(), want.gradients.size());
  for (const auto& [name, exact] : want.gradients) {
    const double error = (got.gradients.at(name) - exact).norm().item<double>();
    const double allowed = (plain.gradients.at(name) - exact).norm().item<double>();
    EXPECT_LE(error, most * allowed + 1e-4 * scale) << name << ": " << error / exact.norm().item<double>();
    EXPECT_LE(error, 0.1 * exact.norm().item<double>() + 1e-3 * scale) << name;
  }
  // The same bits on any number of threads.
  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 2 : 1);
  const Result again = run(How::kFused);
  at::set_num_threads(threads);
  EXPECT_EQ(again.loss, got.loss);
  for (const auto& [name, g] : got.gradients) EXPECT_TRUE(torch::equal(g, again.gradients.at(name))) << name;
}

}  // namespace atelier::model
