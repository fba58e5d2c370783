#include "model/objective.h"

#include <vector>

#include "base/str.h"

namespace atelier::model {
namespace {

// Preferences lie as all chosen rows, then all rejected ones, pair by pair.
struct Halves {
  explicit Halves(const torch::Tensor& t) : first(t.chunk(2)[0]), second(t.chunk(2)[1]) {}
  torch::Tensor first, second;
};

double Mean(const torch::Tensor& t) { return t.detach().mean().item<double>(); }

// How rewards of pairs stand: which share of the chosen has more, and by how much.
void Tell(const torch::Tensor& chosen, const torch::Tensor& rejected, Loss* loss) {
  loss->details["accuracy"] = Mean((chosen > rejected).to(torch::kFloat32));
  loss->details["chosen"] = Mean(chosen);
  loss->details["rejected"] = Mean(rejected);
  loss->details["margin"] = Mean(chosen - rejected);
}

// Preferences say which reply, not how likely it is: what keeps the chosen ones likely.
void AddChosen(const ReplyScores& s, const ObjectiveConfig& config, Loss* loss) {
  if (config.chosen_weight == 0) return;
  const torch::Tensor unlikely = -Halves(s.sums).first.sum() / Halves(s.counts).first.sum();
  loss->value = loss->value + config.chosen_weight * unlikely;
  loss->details["sft"] = unlikely.item<double>();
}

// mean of -log sigmoid(h); smoothed (cDPO, Mitchell 2023), a share of the labels is taken to be the wrong way round.
torch::Tensor SmoothedLogistic(const torch::Tensor& h, double wrong) {
  torch::Tensor value = -(1 - wrong) * torch::log_sigmoid(h);
  if (wrong > 0) value = value - wrong * torch::log_sigmoid(-h);
  return value.mean();
}

Loss Dpo(const ReplyScores& s, const torch::Tensor&, const ObjectiveConfig& config, const LossOptions& options) {
  const Halves reward(config.beta * (s.sums - s.reference));
  Loss loss{SmoothedLogistic(reward.first - reward.second, options.label_smoothing), {}};
  AddChosen(s, config, &loss);
  Tell(reward.first, reward.second, &loss);
  return loss;
}

Loss Ipo(const ReplyScores& s, const torch::Tensor&, const ObjectiveConfig& config, const LossOptions&) {
  const Halves gain((s.sums - s.reference) / s.counts);
  Loss loss{(gain.first - gain.second - 1 / (2 * config.beta)).square().mean(), {}};
  AddChosen(s, config, &loss);
  Tell(config.beta * gain.first, config.beta * gain.second, &loss);
  return loss;
}

Loss Orpo(const ReplyScores& s, const torch::Tensor&, const ObjectiveConfig& config, const LossOptions&) {
  const torch::Tensor mean = s.sums / s.counts;
  const torch::Tensor bounded = mean.clamp_max(-1e-6);  // of a certain reply the odds have no bound
  const Halves log_odds(bounded - torch::log(-torch::expm1(bounded))), means(mean);
  const torch::Tensor unlikely = -means.first.mean();
  const torch::Tensor odds = -torch::log_sigmoid(log_odds.first - log_odds.second).mean();
  Loss loss{unlikely + config.beta * odds, {}};
  loss.details["sft"] = unlikely.item<double>();
  Tell(config.beta * means.first, config.beta * means.second, &loss);
  return loss;
}

Loss Kto(const ReplyScores& s, const torch::Tensor& marks, const ObjectiveConfig& config, const LossOptions&) {
  const Halves reward(config.beta * (s.sums - s.reference));
  const torch::Tensor z = reward.second.detach().mean().clamp_min(0);
  const torch::Tensor wanted = marks.gt(0);
  const torch::Tensor weight = torch::where(wanted, torch::tensor(static_cast<float>(config.wanted_weight)),
                                            torch::tensor(static_cast<float>(config.unwanted_weight)));
  const torch::Tensor gain = (reward.first - z) * marks;
  Loss loss{(weight * (1 - torch::sigmoid(gain))).mean(), {}};
  loss.details["accuracy"] = Mean((gain > 0).to(torch::kFloat32));
  loss.details["z"] = z.item<double>();
  return loss;
}

Loss Reward(const ReplyScores& s, const torch::Tensor&, const ObjectiveConfig&, const LossOptions& options) {
  const Halves verdict(s.verdicts);
  const torch::Tensor h = verdict.first - verdict.second;
  Loss loss{SmoothedLogistic(h, options.label_smoothing), {}};
  Tell(verdict.first, verdict.second, &loss);
  return loss;
}

}  // namespace

std::span<const Objective> AllObjectives() {
  static const std::vector<Objective> list = {
      {"sft", DataKind::kReplies, false, false, 0, nullptr},
      {"distil", DataKind::kReplies, false, false, 0, nullptr},
      {"dpo", DataKind::kPreferences, true, false, 0.1, &Dpo},
      {"ipo", DataKind::kPreferences, true, false, 0.1, &Ipo},
      {"orpo", DataKind::kPreferences, false, false, 0.1, &Orpo},
      {"reward", DataKind::kPreferences, false, true, 0, &Reward},
      {"kto", DataKind::kJudged, true, false, 0.1, &Kto},
      {"grpo", DataKind::kPrompts, true, false, 0.04, nullptr},
      {"reinforce", DataKind::kPrompts, true, false, 0.04, nullptr},
  };
  return list;
}

ObjectiveConfig ReadObjective(Table& config) {
  const std::string name = config.StringOr("objective", "sft");
  std::vector<std::string> names;
  for (const Objective& one : AllObjectives()) {
    names.emplace_back(one.name);
    if (one.name != name) continue;
    ObjectiveConfig out{.objective = &one};
    if (one.data == DataKind::kPrompts) {  // 0: as far from the model as it was as it likes
      out.beta = config.DoubleOr("beta", one.beta, 0, 1e6);
      out.by_deviation = name == "grpo";
    } else if (one.beta > 0) {
      out.beta = config.DoubleOr("beta", one.beta, 1e-6, 1e6);
    }
    if (name == "distil") {
      out.teacher = {config.String("teacher"), config.StringOr("teacher_adapter", "")};
      out.distil.temperature = config.DoubleOr("temperature", out.distil.temperature, 0.01, 100);
      out.distil.label_weight = config.DoubleOr("label_weight", out.distil.label_weight, 0, 1);
    }
    if (one.data == DataKind::kPreferences && one.reference) {
      out.chosen_weight = config.DoubleOr("chosen_weight", 0, 0, 1e6);
    }
    if (one.data == DataKind::kJudged) {
      out.wanted_weight = config.DoubleOr("wanted_weight", 1, 0, 1e6);
      out.unwanted_weight = config.DoubleOr("unwanted_weight", 1, 0, 1e6);
    }
    return out;
  }
  config.Refuse("objective", Cat(Quote(name), " is not an objective"), Cat("it is one of ", Join(names, ", ")));
}

}  // namespace atelier::model
