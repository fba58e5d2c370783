// Policy gradients against plain arithmetic.
#include "model/policy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace atelier::model {
namespace {

TEST(Policy, AdvantagesAreOfTheGroup) {
  const torch::Tensor scores = torch::tensor({1.0f, 2.0f, 6.0f, 4.0f, 4.0f, 4.0f}).view({2, 3});
  const torch::Tensor by_deviation = GroupAdvantages(scores, true), plain = GroupAdvantages(scores, false);
  const double deviation = std::sqrt(7.0);  // of 1, 2, 6 over n - 1
  const std::vector<double> above = {-2, -1, 3};
  for (int64_t i = 0; i < 3; ++i) {
    const double own = scores[0][i].item<double>();
    EXPECT_NEAR(by_deviation[0][i].item<double>(), above[static_cast<size_t>(i)] / (deviation + 1e-4), 1e-5);
    EXPECT_NEAR(plain[0][i].item<double>(), own - (9 - own) / 2, 1e-5) << "above the mean of the others";
    EXPECT_EQ(by_deviation[1][i].item<double>(), 0) << "where all are alike nothing is learned";
    EXPECT_EQ(plain[1][i].item<double>(), 0);
  }
}

TEST(Policy, LossAndGradientArePlainArithmetic) {
  const std::vector<double> lp = {-0.5, -1.5, -2, -0.25, -3}, ref = {-0.75, -1, -2, -1.25, -2.5};
  const std::vector<int64_t> rows = {0, 0, 0, 1, 1};
  const std::vector<double> advantages = {0.8, -1.3}, counts = {3, 2};
  for (const double beta : {0.0, 0.3}) {
    torch::Tensor logprobs = torch::tensor(lp, torch::kFloat64).requires_grad_();
    const torch::Tensor reference = beta > 0 ? torch::tensor(ref, torch::kFloat64) : torch::Tensor();
    const Loss loss =
        PolicyLoss(logprobs, reference, torch::tensor(rows), torch::tensor(advantages, torch::kFloat64), beta);
    loss.value.backward();
    double wanted = 0, kl = 0;
    for (size_t i = 0; i < lp.size(); ++i) {
      const auto row = static_cast<size_t>(rows[i]);
      const double d = ref[i] - lp[i], away = std::exp(d) - d - 1, share = 1 / counts[row] / 2;
      wanted += share * (-advantages[row] + (beta > 0 ? beta * away : 0));
      kl += share * away;
      const double slope = share * (-advantages[row] - beta * d);  // of log p: A, and what the divergence costs
      EXPECT_NEAR(logprobs.grad()[static_cast<int64_t>(i)].item<double>(), slope, 1e-6) << i;
    }
    EXPECT_NEAR(loss.value.item<double>(), wanted, 1e-6);
    if (beta > 0) {
      EXPECT_NEAR(loss.details.at("kl"), kl, 1e-6);
    }
    EXPECT_NEAR(loss.details.at("tokens"), 2.5, 1e-6);
  }
}

}  // namespace
}  // namespace atelier::model
