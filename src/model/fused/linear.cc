#include "model/fused/linear.h"

#include "model/fused/ops.h"

namespace atelier::model::fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Kept : torch::CustomClassHolder {
  torch::Tensor x, weight, bias;
  Packed packed;
};

torch::Tensor Forward(Kept* k, bool training) {
  k->packed = Pack(k->weight, training);
  const int64_t rows = k->x.size(0), ins = k->packed.ins, outs = k->packed.outs;
  torch::Tensor y = NewBrains(rows, outs);
  kernel::Product p = RowsTimes(Brains(k->x), rows, ins, ins, k->packed.forward, outs);
  p.bias = Floats(k->bias), p.out16 = Brains(y), p.out16_stride = outs;
  Multiply(p);
  return y;
}

torch::Tensor Backward(const Kept& k, const torch::Tensor& dy) {
  const int64_t rows = dy.size(0), ins = k.packed.ins, outs = k.packed.outs;
  AddWeightGradient(Zip(Brains(dy), rows, outs, outs, GradientOf(k.bias)), Zip(Brains(k.x), rows, ins, ins, nullptr),
                    rows, outs, ins, GradientOf(k.weight));
  torch::Tensor dx = NewBrains(rows, ins);
  kernel::Product p = RowsTimes(Brains(dy), rows, outs, outs, k.packed.backward, ins);
  p.out16 = Brains(dx), p.out16_stride = ins;
  Multiply(p);
  return dx;
}

class LinearStep : public torch::autograd::Function<LinearStep> {
 public:
  // The parameters are inputs so that the graph knows them; their gradients go straight to them.
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor&, at::TensorList parameters, Kept* k) {
    ctx->saved_data["parameters"] = static_cast<int64_t>(parameters.size());
    ctx->saved_data["kept"] = c10::IValue::make_capsule(c10::intrusive_ptr<torch::CustomClassHolder>::reclaim_copy(k));
    return Forward(k, true);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& d) {
    const torch::NoGradGuard no_gradient;
    const auto kept = ctx->saved_data["kept"].toCapsule();
    variable_list gradients(static_cast<size_t>(ctx->saved_data["parameters"].toInt()) + 2);
    gradients[0] = Backward(static_cast<const Kept&>(*kept), d[0].contiguous());
    return gradients;
  }
};

}  // namespace

torch::Tensor Linear(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
  const torch::Tensor rows = x.to(torch::kBFloat16).reshape({-1, x.size(-1)}).contiguous();
  auto k = c10::make_intrusive<Kept>();
  k->x = rows.detach(), k->weight = weight, k->bias = bias;
  std::vector<torch::Tensor> parameters{weight};
  if (bias.defined()) parameters.push_back(bias);
  const torch::Tensor y = torch::GradMode::is_enabled() ? LinearStep::apply(rows, at::TensorList(parameters), k.get())
                                                        : Forward(k.get(), false);
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return y.view(shape);
}

}  // namespace atelier::model::fused
