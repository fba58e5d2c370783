#include "model/fused/ops.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "model/fused/binary_loss.h"

namespace atelier::model::fused {
namespace {

// Every piece is done once, whatever the number of threads, and each thread's are one stretch.
TEST(FusedOps, WorksAreSharedOutWhole) {
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 3, 7}) {
    at::set_num_threads(threads);
    for (const bool nested : {false, true}) {
      const std::vector<std::pair<int64_t, double>> kinds = {{1, 1e9}, {0, 5}, {1000, 1}, {3, 0.25}, {17, 1e6}};
      std::vector<std::vector<std::atomic<int>>> done;
      std::vector<Work> works;
      for (const auto& [n, cost] : kinds) done.emplace_back(n);
      for (size_t i = 0; i < kinds.size(); ++i) {
        works.push_back({kinds[i].first, kinds[i].second, [&done, i](int64_t begin, int64_t end) {
                           for (int64_t at = begin; at < end; ++at) ++done[i][static_cast<size_t>(at)];
                         }});
      }
      if (nested) {
        at::parallel_for(0, 1, 1, [&](int64_t, int64_t) { InParallel(works); });
      } else {
        InParallel(works);
      }
      for (const auto& kind : done) {
        for (const auto& count : kind) EXPECT_EQ(count, 1) << threads;
      }
    }
  }
  at::set_num_threads(before);
  InParallel(std::vector<Work>{});
}

TEST(FusedOps, BinaryLossIsTorchs) {
  torch::manual_seed(3);
  torch::Tensor x = torch::randn({7, 1}) * 4;
  x[1][0] = 100, x[2][0] = -100, x[5][0] = 90;
  for (const int64_t first : {int64_t{3}, int64_t{7}}) {
    torch::Tensor theirs = x.clone().requires_grad_();
    const torch::Tensor slope = torch::empty_like(x);
    const auto mean = [](const torch::Tensor& part, double target) {
      return torch::binary_cross_entropy_with_logits(part, torch::full_like(part, target));
    };
    torch::Tensor expected = mean(theirs.narrow(0, 0, first), 0.9);
    if (first < 7) expected = expected + mean(theirs.narrow(0, first, 7 - first), 0);
    expected.backward();
    const double loss = BinaryLoss(x, first, 0.9, slope);
    EXPECT_NEAR(loss, expected.item<double>(), 1e-6 * expected.item<double>());
    EXPECT_TRUE(torch::allclose(slope, theirs.grad(), 1e-6, 1e-9)) << slope << theirs.grad();
    EXPECT_EQ(BinaryLoss(x, first, 0.9, {}), loss);
  }
  x[4][0] = std::nanf("");
  EXPECT_TRUE(std::isnan(BinaryLoss(x, 3, 1, {})));
}

}  // namespace
}  // namespace atelier::model::fused
