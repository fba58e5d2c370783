#include "model/recomputed.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

namespace atelier::model {
namespace {

using torch::autograd::variable_list;

class Node : public torch::autograd::Node {
 public:
  Node(std::function<torch::Tensor(const torch::Tensor&)> fn, torch::Tensor x)
      : fn_(std::move(fn)),
        x_(std::move(x)),
        generator_(at::detail::getDefaultCPUGenerator().get_state()),
        autocast_(at::autocast::is_autocast_enabled(at::kCPU)) {}

  variable_list apply(variable_list&& gradients) override {
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    const torch::Tensor now = generator.get_state();
    generator.set_state(generator_);
    const bool autocast = at::autocast::is_autocast_enabled(at::kCPU);
    at::autocast::set_autocast_enabled(at::kCPU, autocast_);
    torch::Tensor x, y;
    {
      const torch::AutoGradMode with_gradient(true);
      x = x_.detach().requires_grad_(true);
      y = fn_(x);
    }
    at::autocast::clear_cache();  // parameters that were cast here change before the next step
    at::autocast::set_autocast_enabled(at::kCPU, autocast);
    generator.set_state(now);
    torch::autograd::backward({y}, {gradients[0]});
    return {x.grad()};
  }
  void release_variables() override { x_.reset(); }

 private:
  std::function<torch::Tensor(const torch::Tensor&)> fn_;
  torch::Tensor x_, generator_;
  bool autocast_;
};

}  // namespace

torch::Tensor Recomputed(const std::function<torch::Tensor(const torch::Tensor&)>& fn, const torch::Tensor& x) {
  if (!torch::GradMode::is_enabled() || !x.requires_grad()) return fn(x);
  auto node = c10::make_intrusive<Node>(fn, x);
  node->set_next_edges(torch::autograd::collect_next_edges(x));
  torch::Tensor y;
  {
    const torch::NoGradGuard no_gradient;
    y = fn(x);
  }
  torch::autograd::set_history(y, node);
  return y;
}

}  // namespace atelier::model
