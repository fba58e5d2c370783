#include "model/fused/norm.h"

#include "model/fused/ops.h"

namespace atelier::model::fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

kernel::RowNorm RowsOf(const NormWeights& norm, const Normed& normed) {
  kernel::RowNorm n;
  n.rows = normed.x.size(0), n.cols = normed.x.size(1), n.rms = norm.rms, n.epsilon = static_cast<float>(norm.eps);
  n.weight = Floats(norm.weight), n.bias = Floats(norm.bias);
  n.x = Floats(normed.x), n.mean = Floats(normed.mean), n.inverse = Floats(normed.inverse);
  return n;
}

struct Kept : torch::CustomClassHolder {
  NormWeights norm;
  Normed normed;
};

class NormStep : public torch::autograd::Function<NormStep> {
 public:
  // The parameters are inputs so that the graph knows them; their gradients go straight to them.
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& x, at::TensorList parameters,
                               const NormWeights& norm) {
    auto kept = c10::make_intrusive<Kept>();
    torch::Tensor y;
    kept->norm = norm, kept->normed = NormForward(norm, x.detach(), &y, nullptr);
    ctx->saved_data["parameters"] = static_cast<int64_t>(parameters.size());
    ctx->saved_data["kept"] = c10::IValue::make_capsule(std::move(kept));
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list d) {
    const torch::NoGradGuard no_gradient;
    const auto capsule = ctx->saved_data["kept"].toCapsule();
    const auto& kept = static_cast<const Kept&>(*capsule);
    variable_list gradients(static_cast<size_t>(ctx->saved_data["parameters"].toInt()) + 2);
    gradients[0] = NormBackward(kept.norm, kept.normed, d[0].contiguous(), {}, nullptr);
    return gradients;
  }
};

}  // namespace

Normed NormForward(const NormWeights& norm, const torch::Tensor& x, torch::Tensor* y, torch::Tensor* y16) {
  const int64_t rows = x.size(0), width = x.size(1);
  Normed normed{x, NewFloats(rows, 1), NewFloats(rows, 1)};
  kernel::RowNorm n = RowsOf(norm, normed);
  if (y) *y = NewFloats(rows, width), n.y = Floats(*y);
  if (y16) *y16 = NewBrains(rows, width), n.y16 = Brains(*y16);
  InParallel(kernel::NormBlocks(rows), [&](int64_t begin, int64_t end) {
    Kernels().norm_forward(&n, begin * kernel::kNormBlock, std::min(rows, end * kernel::kNormBlock));
  });
  return normed;
}

torch::Tensor NormBackward(const NormWeights& norm, const Normed& normed, const torch::Tensor& dy,
                           const torch::Tensor& d_sum, torch::Tensor* dx16) {
  kernel::RowNorm n = RowsOf(norm, normed);
  const int64_t blocks = kernel::NormBlocks(n.rows);
  const torch::Tensor d_weight = NewFloats(blocks, n.cols), d_bias = NewFloats(blocks, n.cols);
  torch::Tensor dx = NewFloats(n.rows, n.cols);
  if (dy.scalar_type() == torch::kBFloat16) {
    n.dy16 = Brains(dy);
  } else {
    n.dy = Floats(dy);
  }
  n.d_sum = Floats(d_sum);
  n.dx = Floats(dx), n.d_weight = Floats(d_weight), n.d_bias = Floats(d_bias);
  if (dx16) *dx16 = NewBrains(n.rows, n.cols), n.dx16 = Brains(*dx16);
  InParallel(blocks, [&](int64_t begin, int64_t end) { Kernels().norm_backward(&n, begin, end); });
  SumRows(d_weight, GradientOf(norm.weight));
  SumRows(d_bias, GradientOf(norm.bias));
  return dx;
}

torch::Tensor Norm(const torch::Tensor& x, const NormWeights& norm) {
  std::vector<torch::Tensor> parameters;
  for (const torch::Tensor& p : {norm.weight, norm.bias}) {
    if (p.defined()) parameters.push_back(p);
  }
  return NormStep::apply(x.contiguous(), at::TensorList(parameters), norm);
}

}  // namespace atelier::model::fused
