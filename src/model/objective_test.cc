// Objectives against their formulas in plain numbers, and their gradients against differences.
#include "model/objective.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/str.h"

namespace atelier::model {
namespace {

struct Case {
  std::vector<double> sums, counts, reference, marks;
};
// Two pairs (or two judged replies, with two to other prompts).
const Case kCase = {{-12.5, -30.25, -14.0, -22.75}, {5, 11, 6, 9}, {-13.0, -29.0, -12.25, -24.0}, {1, -1}};

double LogSigmoid(double x) { return -std::log1p(std::exp(-x)); }
double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double Expected(const std::string& name, const Case& c, double beta, double smoothing, double wanted, double unwanted) {
  double total = 0, z = 0;
  for (size_t i = 2; i < 4; ++i) z += beta * (c.sums[i] - c.reference[i]) / 2;
  z = std::max(0.0, z);
  for (size_t i = 0; i < 2; ++i) {
    const size_t j = i + 2;
    const double gained = c.sums[i] - c.reference[i], lost = c.sums[j] - c.reference[j];
    if (name == "dpo") {
      const double h = beta * (gained - lost);
      total -= (1 - smoothing) * LogSigmoid(h) + smoothing * LogSigmoid(-h);
    } else if (name == "ipo") {
      total += std::pow(gained / c.counts[i] - lost / c.counts[j] - 1 / (2 * beta), 2);
    } else if (name == "orpo") {
      const double p = std::exp(c.sums[i] / c.counts[i]), q = std::exp(c.sums[j] / c.counts[j]);
      total -= c.sums[i] / c.counts[i] + beta * LogSigmoid(std::log(p / (1 - p)) - std::log(q / (1 - q)));
    } else {
      const double gain = beta * gained - z;
      total += c.marks[i] > 0 ? wanted * (1 - Sigmoid(gain)) : unwanted * (1 - Sigmoid(-gain));
    }
  }
  return total / 2;
}

torch::Tensor Tensor(const std::vector<double>& values) { return torch::tensor(values, torch::kFloat64); }

Loss LossOf(const ObjectiveConfig& config, const torch::Tensor& sums, double smoothing = 0) {
  return config.objective->loss({sums, Tensor(kCase.counts), Tensor(kCase.reference)}, Tensor(kCase.marks), config,
                                {smoothing});
}

ObjectiveConfig Read(const std::string& text) {
  Table table = Table::Parse(text, "test");
  ObjectiveConfig config = ReadObjective(table);
  table.Done();
  return config;
}

TEST(Objectives, EqualTheirFormulas) {
  for (const char* name : {"dpo", "ipo", "orpo", "kto"}) {
    for (const double beta : {0.1, 0.7}) {
      const ObjectiveConfig config = Read(Cat("objective = \"", name, "\"\nbeta = ", beta,
                                              std::string(name) == "kto" ? "\nunwanted_weight = 1.5" : ""));
      const double smoothing = std::string(name) == "dpo" ? 0.2 : 0;
      const double expected = Expected(name, kCase, beta, smoothing, 1, 1.5);
      torch::Tensor sums = Tensor(kCase.sums).requires_grad_();
      const Loss loss = LossOf(config, sums, smoothing);
      EXPECT_NEAR(loss.value.item<double>(), expected, 1e-9) << name;
      loss.value.backward();
      for (int64_t i = 0; i < 4; ++i) {
        Case above = kCase, below = kCase;
        above.sums[static_cast<size_t>(i)] += 1e-5, below.sums[static_cast<size_t>(i)] -= 1e-5;
        double slope =
            (Expected(name, above, beta, smoothing, 1, 1.5) - Expected(name, below, beta, smoothing, 1, 1.5)) / 2e-5;
        if (std::string(name) == "kto" && i >= 2) slope = 0;  // how far the model has moved is taken as given
        EXPECT_NEAR(sums.grad()[i].item<double>(), slope, 1e-6) << name << " " << i;
      }
    }
  }
}

TEST(Objectives, KeepTheChosenLikely) {
  for (const char* name : {"dpo", "ipo"}) {
    const std::string toml = Cat("objective = \"", name, "\"\n");
    torch::Tensor sums = Tensor(kCase.sums).requires_grad_();
    const Loss with = LossOf(Read(toml + "chosen_weight = 0.7"), sums),
               without = LossOf(Read(toml), Tensor(kCase.sums));
    const double unlikely = (12.5 + 30.25) / (5 + 11);
    EXPECT_NEAR(with.details.at("sft"), unlikely, 1e-9);
    EXPECT_FALSE(without.details.contains("sft"));
    EXPECT_NEAR(with.value.item<double>() - without.value.item<double>(), 0.7 * unlikely, 1e-9) << name;
    torch::Tensor alone = Tensor(kCase.sums).requires_grad_();
    with.value.backward();
    LossOf(Read(toml), alone).value.backward();
    const torch::Tensor more = sums.grad() - alone.grad();
    EXPECT_LT((more - torch::tensor({-0.7 / 16, -0.7 / 16, 0.0, 0.0}, torch::kFloat64)).abs().max().item<double>(),
              1e-9);
  }
  EXPECT_THROW(Read("objective = \"orpo\"\nchosen_weight = 1"), Error) << "it has its own";
}

TEST(Objectives, TellWhichIsPreferred) {
  const Loss loss = LossOf(Read("objective = \"dpo\""), Tensor(kCase.sums));
  // Gains: 0.5 and -1.25 of the chosen, -1.75 and 1.25 of the rejected.
  EXPECT_DOUBLE_EQ(loss.details.at("accuracy"), 0.5);
  EXPECT_NEAR(loss.details.at("chosen"), 0.1 * -0.375, 1e-12);
  EXPECT_NEAR(loss.details.at("rejected"), 0.1 * -0.25, 1e-12);
  EXPECT_NEAR(loss.details.at("margin"), 0.1 * -0.125, 1e-12);
}

TEST(Objectives, AreChosenByName) {
  EXPECT_EQ(Read("").objective->name, "sft");
  EXPECT_EQ(Read("objective = \"kto\"").objective->data, DataKind::kJudged);
  EXPECT_DOUBLE_EQ(Read("objective = \"orpo\"\nbeta = 0.3").beta, 0.3);
  EXPECT_THROW(Read("objective = \"ppo\""), Error);
  EXPECT_THROW(Read("beta = 0.1"), Error) << "of sft there is none";
  EXPECT_THROW(Read("objective = \"dpo\"\nbeta = 0"), Error);
  EXPECT_THROW(Read("objective = \"dpo\"\nwanted_weight = 1"), Error);
}

}  // namespace
}  // namespace atelier::model
