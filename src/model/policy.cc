#include "model/policy.h"

namespace atelier::model {

torch::Tensor GroupAdvantages(const torch::Tensor& scores, bool by_deviation) {
  const torch::Tensor above = scores - scores.mean(1, /*keepdim=*/true);
  const auto group = static_cast<double>(scores.size(1));
  if (!by_deviation) return above * (group / (group - 1));  // what it is above the mean of the others
  return above / (scores.std(1, /*unbiased=*/true, /*keepdim=*/true) + 1e-4);
}

Loss PolicyLoss(const torch::Tensor& logprobs, const torch::Tensor& reference, const torch::Tensor& rows,
                const torch::Tensor& advantages, double beta) {
  const torch::Tensor ratio = torch::exp(logprobs - logprobs.detach());
  torch::Tensor losses = -advantages.index_select(0, rows);
  Loss loss;
  const torch::Tensor none = torch::zeros({advantages.size(0)}, losses.detach().options());
  const torch::Tensor counts = none.index_add(0, rows, torch::ones_like(losses));
  const auto mean = [&](const torch::Tensor& tokens) {
    return (none.index_add(0, rows, tokens) / counts.clamp_min(1)).mean();
  };
  if (reference.defined()) {
    const torch::Tensor d = reference - logprobs, away = torch::exp(d) - d - 1;
    losses = losses + beta * away;
    loss.details["kl"] = mean(away.detach()).item<double>();
  }
  loss.value = mean(ratio * losses);
  loss.details["tokens"] = counts.mean().item<double>();
  return loss;
}

}  // namespace atelier::model
