#include "model/recurrent_lm.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace atelier::model {
namespace {

std::shared_ptr<RecurrentLm> Make(const std::string& config, bool gru) {
  torch::manual_seed(3);
  Table table = Table::Parse(config, "test");
  DataShape shape;
  shape.vocabulary = 13;
  auto model = std::make_shared<RecurrentLm>(ReadRecurrentLmConfig(table, shape, gru));
  table.Done();
  return model;
}

// What is asked of the last token alone is what NextLogits says; and what comes behind a token changes nothing.
TEST(RecurrentLm, NextLogitsAreThoseOfTheLoss) {
  for (const bool gru : {false, true}) {
    const auto model = Make("embedding = 7\nwidth = 9\nlayers = 2\ndropout = 0.5\n", gru);
    model->eval();
    Batch batch;
    batch.inputs = torch::tensor({{5, 1, 12, 4}, {0, 0, 3, 3}});
    const torch::Tensor logits = model->NextLogits(batch.inputs);
    EXPECT_EQ(logits.sizes().vec(), (std::vector<int64_t>{2, 13}));
    for (int64_t row = 0; row < 2; ++row) {
      batch.targets = torch::full({2, 4}, kIgnored, torch::kInt64);
      batch.targets[row][3] = 6;
      const double loss = model->ComputeLoss(batch, 0, {}).value.item<double>();
      EXPECT_NEAR(loss, -logits[row].log_softmax(-1)[6].item<double>(), 1e-5);
    }
    batch.targets = torch::full({2, 4}, kIgnored, torch::kInt64);
    batch.targets[0][1] = 6;
    const double loss = model->ComputeLoss(batch, 0, {}).value.item<double>();
    EXPECT_NEAR(loss, -model->NextLogits(batch.inputs.narrow(1, 0, 2))[0].log_softmax(-1)[6].item<double>(), 1e-5);
  }
}

TEST(RecurrentLm, RefusesATiedHeadOfAnotherWidth) {
  EXPECT_THROW(Make("embedding = 7\nwidth = 9\ntied = true\n", false), Error);
  const auto tied = Make("embedding = 9\nwidth = 9\ntied = true\n", true);
  for (const auto& item : tied->named_parameters()) EXPECT_NE(item.key(), "output.weight");
}

// Rows of a packed batch come back in their order, and what lies behind their ends reaches nothing.
TEST(Recurrent, RowsEndWhereTheirLengthsSay) {
  for (const bool gru : {false, true}) {
    torch::manual_seed(5);
    Recurrent layers({gru, 3, 4, 2, 0, true});
    const torch::NoGradGuard no_gradient;
    const torch::Tensor x = torch::randn({3, 5, 3}), lengths = torch::tensor({2, 5, 1});
    const Recurrent::Output all = layers.forward(x, lengths);
    for (int64_t row = 0; row < 3; ++row) {
      const int64_t n = lengths[row].item<int64_t>();
      const Recurrent::Output alone = layers.forward(x.narrow(0, row, 1).narrow(1, 0, n));
      EXPECT_LT((all.all[row].narrow(0, 0, n) - alone.all[0]).abs().max().item<double>(), 1e-6);
      EXPECT_LT((all.hidden.select(1, row) - alone.hidden.select(1, 0)).abs().max().item<double>(), 1e-6);
      EXPECT_EQ(all.all[row].narrow(0, n, 5 - n).abs().sum().item<double>(), 0);
      if (gru) continue;
      EXPECT_LT((all.cell.select(1, row) - alone.cell.select(1, 0)).abs().max().item<double>(), 1e-6);
    }
  }
}

TEST(Recurrent, StepsAsItRuns) {
  torch::manual_seed(7);
  Recurrent layers({false, 3, 4, 2, 0, false});
  const torch::NoGradGuard no_gradient;
  const torch::Tensor x = torch::randn({2, 4, 3});
  const Recurrent::Output all = layers.forward(x);
  std::vector<torch::Tensor> state(4, torch::zeros({2, 4}));
  for (int64_t t = 0; t < 4; ++t) {
    std::vector<torch::Tensor> after;
    const torch::Tensor h = layers.Step(x.select(1, t), state, &after);
    EXPECT_LT((h - all.all.select(1, t)).abs().max().item<double>(), 1e-6);
    state = after;
  }
  EXPECT_LT((state[3] - all.cell[1]).abs().max().item<double>(), 1e-6);
}

}  // namespace
}  // namespace atelier::model
