#include "model/distil.h"

#include <algorithm>

#include "model/fused/step.h"

namespace atelier::model {
namespace {

constexpr int64_t kLogits = 16 << 20;  // of one model, in memory at once

struct KeptDivergence : torch::CustomClassHolder {
  OutputHead student, teacher;
  torch::Tensor labels;
  DistilConfig config;
  torch::Tensor divergence, label_losses;
  torch::Tensor d_hidden;  // [rows, width] f32, of each row's loss
};

torch::Tensor Forward(KeptDivergence* c, const torch::Tensor& hidden, bool training) {
  const int64_t rows = hidden.size(0), most = std::max<int64_t>(1, kLogits / c->student.matrix.outs());
  const double t = c->config.temperature, w = c->config.label_weight;
  const torch::Tensor losses = torch::empty({rows});
  c->divergence = torch::empty({rows}), c->label_losses = torch::empty({rows});
  if (training) c->d_hidden = torch::empty({rows, hidden.size(1)});
  for (int64_t begin = 0; begin < rows; begin += most) {
    const int64_t count = std::min(most, rows - begin);
    const auto of = [&](const torch::Tensor& all) { return all.narrow(0, begin, count); };
    torch::Tensor wanted;  // the teacher's log-probabilities
    {
      const torch::NoGradGuard no_gradient;
      wanted = torch::log_softmax(
          OutputHead{of(c->teacher.hidden).to(torch::kFloat32), c->teacher.matrix, c->teacher.softcap}.Logits().to(
              torch::kFloat32) /
              t,
          -1);
    }
    const torch::AutoGradMode gradient(training);
    const torch::Tensor x =
        of(hidden).to(torch::kFloat32, /*non_blocking=*/false, /*copy=*/true).requires_grad_(training);
    const torch::Tensor logits = OutputHead{x, c->student.matrix, c->student.softcap}.Logits().to(torch::kFloat32);
    const torch::Tensor plain = torch::log_softmax(logits, -1);
    const torch::Tensor soft = t == 1 ? plain : torch::log_softmax(logits / t, -1);
    const torch::Tensor divergence = (wanted.exp() * (wanted - soft)).sum(-1);
    const torch::Tensor label = -plain.gather(1, of(c->labels).unsqueeze(1)).squeeze(1);
    const torch::Tensor loss = (1 - w) * t * t * divergence + w * label;
    of(losses).copy_(loss.detach());
    of(c->divergence).copy_(divergence.detach());
    of(c->label_losses).copy_(label.detach());
    if (training) of(c->d_hidden).copy_(torch::autograd::grad({loss.sum()}, {x})[0]);
  }
  return losses;
}

torch::Tensor Backward(const KeptDivergence& c, const torch::Tensor& d) {
  return c.d_hidden.mul(d.unsqueeze(1)).to(c.student.hidden.scalar_type());
}

}  // namespace

torch::Tensor OutputHead::Logits() const {
  const torch::Tensor logits = FrozenLinear(hidden, matrix);
  return softcap > 0 ? torch::tanh(logits / softcap) * softcap : logits;
}

DistilLosses Distil(const OutputHead& student, const OutputHead& teacher, const torch::Tensor& labels,
                    const DistilConfig& config) {
  auto c = c10::make_intrusive<KeptDivergence>();
  c->student = {student.hidden.detach(), student.matrix, student.softcap};
  c->teacher = teacher, c->labels = labels, c->config = config;
  const torch::Tensor losses = fused::RunStep(student.hidden, {}, c);
  return {losses, c->divergence, c->label_losses};
}

}  // namespace atelier::model
