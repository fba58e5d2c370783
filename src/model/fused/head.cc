#include "model/fused/head.h"

#include "base/error.h"
#include "base/str.h"
#include "model/batch.h"
#include "model/fused/ops.h"
#include "model/fused/step.h"

namespace atelier::model::fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kBlock = 512;  // tokens whose scores are in the caches together

class EmbedStep : public torch::autograd::Function<EmbedStep> {
 public:
  // positions: one table or none (torch records no undefined inputs).
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& table, at::TensorList more,
                               const torch::Tensor& ids) {
    const torch::Tensor positions = more.empty() ? torch::Tensor() : more[0];
    ctx->save_for_backward({table, positions, ids});
    const int64_t rows = ids.numel(), width = table.size(1), time = ids.size(-1);
    torch::Tensor x = NewFloats(rows, width);
    const auto* id = ids.data_ptr<int64_t>();
    for (int64_t i = 0; i < rows; ++i) {
      if (id[i] < 0 || id[i] >= table.size(0)) {
        throw Error(Code::kInvalidInput, Cat("token ", id[i], " is outside the vocabulary of ", table.size(0)));
      }
    }
    const float *from = Floats(table), *at = Floats(positions);
    float* to = Floats(x);
    InParallel(rows, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        for (int64_t c = 0; c < width; ++c) {
          to[i * width + c] = from[id[i] * width + c] + (at ? at[i % time * width + c] : 0);
        }
      }
    });
    return x;
  }
  static variable_list backward(AutogradContext* ctx, variable_list d) {
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor dx = d[0].contiguous();
    const int64_t rows = dx.size(0), width = dx.size(1), time = saved[2].size(-1);
    const auto* id = saved[2].data_ptr<int64_t>();
    float *table = GradientOf(saved[0]), *positions = GradientOf(saved[1]);
    const float* from = Floats(dx);
    constexpr int64_t kCols = 16;  // threads share columns, so that each number has one order of additions
    InParallel((width + kCols - 1) / kCols, [&](int64_t begin, int64_t end) {
      const int64_t last = std::min(width, end * kCols);
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t c = begin * kCols; c < last; ++c) {
          const float g = from[i * width + c];
          if (table) table[id[i] * width + c] += g;
          if (positions) positions[i % time * width + c] += g;
        }
      }
    });
    return variable_list(saved[1].defined() ? 3 : 2);
  }
};

struct Scratch {
  torch::Tensor scores, greatest, sums, totals, label_logit, interleaved;
};

struct KeptLogits : torch::CustomClassHolder {
  NormWeights norm;
  Normed normed;
  torch::Tensor weight, bias, labels;
  double smoothing = 0;
  torch::Tensor d_n, d_weight, d_bias;  // of what the head reads (bf16), and of its parameters

  bool norms() const { return norm.weight.defined(); }
};

// The loss of `n` [rows, width] bf16, summed over labels; in training also the gradients of their mean.
double RunHead(const KeptLogits& c, const torch::Tensor& n, float scale, bool training) {
  const Packed w = Pack(c.weight, training);
  const int64_t rows = n.size(0), width = n.size(1), panels = kernel::Panels(w.outs);
  const int64_t stride = panels * kernel::kProductPanel, most = std::min(rows, kBlock);
  const torch::Tensor loss = NewFloats(1, rows);
  Scratch s{NewBrains(most, stride), NewFloats(most, panels),
            NewFloats(most, panels), c.smoothing > 0 ? NewFloats(most, panels) : torch::Tensor(),
            NewFloats(1, most),      training ? NewBrains(1, kernel::PackedSize(w.outs, most)) : torch::Tensor()};
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t count = std::min(kBlock, rows - begin);
    kernel::HeadLoss head;
    head.rows = count, head.vocabulary = w.outs, head.depth = width;
    head.x = Brains(n) + begin * width, head.x_stride = width, head.w = Brains(w.forward);
    head.bias = Floats(c.bias), head.labels = c.labels.data_ptr<int64_t>() + begin;
    head.smoothing = static_cast<float>(c.smoothing), head.scale = scale;
    head.scores = Brains(s.scores), head.greatest = Floats(s.greatest), head.sums = Floats(s.sums);
    head.totals = Floats(s.totals), head.label_logit = Floats(s.label_logit);
    head.loss = Floats(loss) + begin;
    head.slopes = training, head.interleaved = training ? Brains(s.interleaved) : nullptr;
    InParallel(panels, [&](int64_t from, int64_t to) { Kernels().head_scores(&head, 0, count, from, to); });
    InParallel((count + 1) / 2,
               [&](int64_t from, int64_t to) { Kernels().head_finish(&head, 2 * from, std::min(count, 2 * to)); });
    if (!training) continue;
    kernel::Product p = RowsTimes(head.scores, count, w.outs, stride, w.backward, width);
    p.out16 = Brains(c.d_n) + begin * width, p.out16_stride = width;
    Multiply(p);
    AddWeightGradient(s.interleaved, Zip(head.x, count, width, width, nullptr), count, w.outs, width,
                      Floats(c.d_weight));
    if (c.bias.defined()) SumColumns(head.scores, count, w.outs, stride, Floats(c.d_bias));
  }
  return loss.to(torch::kFloat64).sum().item<double>();
}

torch::Tensor Forward(KeptLogits* c, const torch::Tensor& x, bool training) {
  const auto* label = c->labels.data_ptr<int64_t>();
  int64_t count = 0;
  for (int64_t i = 0; i < x.size(0); ++i) {
    if (label[i] == kIgnored) continue;
    if (label[i] < 0 || label[i] >= c->weight.size(0)) {
      throw Error(Code::kInvalidInput, Cat("target ", label[i], " is outside the vocabulary of ", c->weight.size(0)));
    }
    ++count;
  }
  count = std::max<int64_t>(count, 1);
  if (training) {
    c->d_n = torch::empty_like(x, torch::kBFloat16);
    c->d_weight = torch::zeros_like(c->weight.detach());
    if (c->bias.defined()) c->d_bias = torch::zeros_like(c->bias.detach());
  }
  torch::Tensor rows = x;
  if (c->norms()) c->normed = NormForward(c->norm, x, nullptr, &rows);
  const double sum = RunHead(*c, rows, 1 / static_cast<float>(count), training);
  return torch::scalar_tensor(sum / static_cast<double>(count), torch::kFloat32);
}

void AddScaled(const torch::Tensor& d, double scale, const torch::Tensor& parameter) {
  if (GradientOf(parameter) == nullptr) return;
  torch::Tensor grad = parameter.grad();
  grad.add_(d, scale);
}

torch::Tensor Backward(const KeptLogits& c, const torch::Tensor& d) {
  const float scale = d.item<float>();
  AddScaled(c.d_weight, scale, c.weight);
  AddScaled(c.d_bias, scale, c.bias);
  if (scale != 1) c.d_n.mul_(scale);
  return c.norms() ? NormBackward(c.norm, c.normed, c.d_n, {}, nullptr) : c.d_n;
}

}  // namespace

torch::Tensor Embed(const torch::Tensor& table, const torch::Tensor& positions, const torch::Tensor& ids) {
  std::vector<torch::Tensor> more;
  if (positions.defined()) more.push_back(positions);
  return EmbedStep::apply(table, at::TensorList(more), ids.contiguous());
}

torch::Tensor HeadLoss(const torch::Tensor& x, const NormWeights& norm, const torch::Tensor& weight,
                       const torch::Tensor& bias, const torch::Tensor& labels, double label_smoothing) {
  const torch::Tensor rows = (norm.weight.defined() ? x : x.to(torch::kBFloat16)).contiguous();
  auto c = c10::make_intrusive<KeptLogits>();
  c->norm = norm, c->weight = weight, c->bias = bias;
  c->labels = labels.contiguous(), c->smoothing = label_smoothing;
  return RunStep(rows, {weight, norm.weight, norm.bias, bias}, c);
}

}  // namespace atelier::model::fused
