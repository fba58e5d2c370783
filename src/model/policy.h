// Policy gradients from a scorer (Williams 1992): replies that the model gave by itself become likelier the better they
// were scored among those to the same prompt. With A the advantage of a reply, n its tokens, and per token
// d = log p_reference - log p:
//
//   loss = mean over replies of (1/n) sum over tokens of rho (-A + beta (e^d - d - 1)),  rho = p / p_when_sampled
//
//   grpo       A = (score - mean) / (standard deviation + 1e-4) of the group   Shao et al. 2024, eq. 3 and 4
//   reinforce  A = score - mean of the group's others                          Kool et al. 2019; Ahmadian et al. 2024
//
// Each batch of replies is learned from once, so rho is 1 and stands for its gradient. Before the divergence, too:
// tokens are drawn from p, and without rho the mean of the gradients is not the gradient of KL(p | p_reference)
// (DeepSeek-AI 2025, DeepSeek-V3.2, section 3.1; Shao et al. leave it out). p is the model's own distribution: replies
// that were sampled at another temperature than 1 are taken as if they were its.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>

#include "artefact/adapter.h"
#include "model/batch.h"
#include "model/model.h"

namespace atelier::model {

// Replies to the prompts of a batch, group by group.
struct Rollouts {
  Batch batch;           // a reply each, prompts and all; targets are the replies
  torch::Tensor scores;  // [prompts, group]
};
// Samples with an adapter as it stands. The same seed gives the same replies.
using RolloutFn = std::function<Rollouts(const Batch& prompts, const artefact::Adapter& adapter, uint64_t seed)>;

// [prompts, group] -> the same.
torch::Tensor GroupAdvantages(const torch::Tensor& scores, bool by_deviation);

// `logprobs` and `reference` [tokens] of the replies' tokens (`reference` undefined: beta is 0), `rows` [tokens] which
// reply each is of, `advantages` [replies].
Loss PolicyLoss(const torch::Tensor& logprobs, const torch::Tensor& reference, const torch::Tensor& rows,
                const torch::Tensor& advantages, double beta);

}  // namespace atelier::model
