// A fused layer as one node of the gradient's graph. What its way forth leaves for its way back is a struct of the
// layer's own, Kept, with two functions beside it:
//   torch::Tensor Forward(Kept* kept, const torch::Tensor& x, bool training)    x without its graph
//   torch::Tensor Backward(const Kept& kept, const torch::Tensor& d)            of x; undefined where x wants none
// Parameters are inputs of the node so that the graph knows them; their gradients go straight to them (ops.h,
// GradientOf).
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <vector>

namespace atelier::model::fused {

// For nodes with more than one output: what a node keeps, and of how many parameters.
inline void Keep(torch::autograd::AutogradContext* ctx, at::TensorList parameters, torch::CustomClassHolder* kept) {
  ctx->saved_data["parameters"] = static_cast<int64_t>(parameters.size());
  ctx->saved_data["kept"] = c10::IValue::make_capsule(c10::intrusive_ptr<torch::CustomClassHolder>::reclaim_copy(kept));
}
inline size_t ParametersOf(torch::autograd::AutogradContext* ctx) {
  return static_cast<size_t>(ctx->saved_data["parameters"].toInt());
}
template <typename Kept>
c10::intrusive_ptr<Kept> KeptBy(torch::autograd::AutogradContext* ctx) {
  return c10::static_intrusive_pointer_cast<Kept>(ctx->saved_data["kept"].toCapsule());
}

template <typename Kept>
class StepNode : public torch::autograd::Function<StepNode<Kept>> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* ctx, const torch::Tensor& x, at::TensorList parameters,
                               Kept* kept) {
    Keep(ctx, parameters, kept);
    return Forward(kept, x.detach(), true);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 const torch::autograd::variable_list& d) {
    const torch::NoGradGuard no_gradient;
    torch::autograd::variable_list gradients(ParametersOf(ctx) + 2);
    gradients[0] = Backward(*KeptBy<Kept>(ctx), d[0].contiguous());
    return gradients;
  }
};

// The layer's output. Parameters may be undefined; where neither x nor any of them learns, there is no node.
template <typename Kept>
torch::Tensor RunStep(const torch::Tensor& x, std::vector<torch::Tensor> parameters,
                      const c10::intrusive_ptr<Kept>& kept) {
  std::erase_if(parameters, [](const torch::Tensor& p) { return !p.defined(); });
  const auto learns = [](const torch::Tensor& p) { return p.requires_grad(); };
  if (!torch::GradMode::is_enabled() || !(learns(x) || std::any_of(parameters.begin(), parameters.end(), learns))) {
    return Forward(kept.get(), x.detach(), false);
  }
  return StepNode<Kept>::apply(x, at::TensorList(parameters), kept.get());
}

}  // namespace atelier::model::fused
