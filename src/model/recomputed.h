// Gradient checkpointing (Chen et al. 2016): activations inside `fn` are not kept but computed again in the backward
// pass.
#pragma once

#include <torch/torch.h>

#include <functional>

namespace atelier::model {

// fn(x), whose gradients reach x and every parameter that `fn` uses. `fn` may draw from torch's generator and run under
// autocast: the second time it does so from the same state. It has to live until the backward pass, and gives the same
// for the same x.
torch::Tensor Recomputed(const std::function<torch::Tensor(const torch::Tensor&)>& fn, const torch::Tensor& x);

}  // namespace atelier::model
