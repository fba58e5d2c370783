// What a decoder is tuned for: replies as they are, which of two is preferred, which are wanted at all, or what a
// scorer says of the model's own (policy.h). A new objective is a function and a line in objective.cc.
//
// With s = sum over a reply's n tokens of log p(token | before), r the same of the model without its adapters, and
// rewards beta (s - r):
//
//   sft   -sum(s) / sum(n)
//   distil  the same, and what another model says of each token: distil.h
//   dpo   -log sigmoid(beta h), h = (s_c - r_c) - (s_r - r_r)              Rafailov et al. 2023, eq. 7
//   ipo   (h - 1 / (2 beta))^2, h of means over tokens                     Azar et al. 2023, eq. 17
//         and, of both, chosen_weight times sft's of the chosen replies    Pang et al. 2024, section 2
//   orpo  -s_c / n_c - beta log sigmoid(log odds(c) - log odds(r)),        Hong et al. 2024, eq. 6 and 7
//         odds = p / (1 - p), p = exp(s / n)
//   kto   1 - sigmoid(+-(beta (s - r) - z)), + where the reply is wanted,  Ethayarajh et al. 2024, eq. 8
//         z = max(0, beta mean(s' - r')) of replies to other prompts
//   reward  -log sigmoid(u_c - u_r), u = logit(+) - logit(-) behind    Bradley & Terry 1952, Ouyang et al. 2022, eq. 1
//         the reply. Ouyang et al. put a fresh output beside the head; two of the vocabulary's words do as well, and
//         the model stays one that any engine runs.
#pragma once

#include <torch/torch.h>

#include <span>
#include <string>
#include <string_view>

#include "base/config.h"
#include "model/distil.h"
#include "model/model.h"
#include "model/zoo.h"

namespace atelier::model {

// Of each row of a batch.
struct ReplyScores {
  torch::Tensor sums;       // [rows] f32: s
  torch::Tensor counts;     // [rows] f32: n
  torch::Tensor reference;  // [rows] f32: r, without gradient; undefined where the objective has no use for it
  torch::Tensor verdicts;   // [rows] f32: u; undefined likewise
};

struct Objective {
  std::string_view name;
  DataKind data;   // kReplies, kPreferences, kJudged or kPrompts
  bool reference;  // whether it is measured against the model as it was
  bool verdicts;   // whether it asks what the model thinks of a reply, instead of how likely it is
  double beta;     // by default
  // `config`: the objective's numbers, `marks`: Batch::marks. Null where the loss is over tokens: of kReplies and
  // kPrompts.
  Loss (*loss)(const ReplyScores& scores, const torch::Tensor& marks, const struct ObjectiveConfig& config,
               const LossOptions& options);
};

// Another model of the engine's: its file, and an adapter's on it, or "".
struct Teacher {
  std::string model, adapter;

  bool given() const { return !model.empty(); }
};

struct ObjectiveConfig {
  const Objective* objective = nullptr;  // null: sft
  double beta = 0.1;
  double chosen_weight = 0;                       // dpo, ipo
  double wanted_weight = 1, unwanted_weight = 1;  // kto
  Teacher teacher;                                // distil
  DistilConfig distil;
  bool by_deviation = true;  // grpo: advantages are divided by the group's deviation

  DataKind data() const { return objective == nullptr ? DataKind::kReplies : objective->data; }
};

std::span<const Objective> AllObjectives();
// Reads `objective` and its numbers from [model]. Throws kInvalidInput that names those there are.
ObjectiveConfig ReadObjective(Table& config);

}  // namespace atelier::model
