#include "train/arena.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"

namespace atelier::train {
namespace {

constexpr int64_t kAlign = 16;  // floats: a cache line

bool Belongs(const std::string& name, const model::Part& part) {
  return part.prefixes.empty() ||
         std::any_of(part.prefixes.begin(), part.prefixes.end(),
                     [&](const std::string& prefix) { return name.compare(0, prefix.size(), prefix) == 0; });
}

}  // namespace

Arena::Arena(model::Model& model, const model::Part& part) : name_(part.name) {
  for (const auto& item : model.named_parameters()) {
    if (!Belongs(item.key(), part) || !item.value().requires_grad()) continue;
    slices_.push_back({item.key(), 0, item.value().numel(), item.value()});
  }
  if (slices_.empty()) throw Error(Code::kInternal, Cat("part ", part.name, " has no parameters"));
  std::stable_partition(slices_.begin(), slices_.end(), [](const Slice& s) { return s.parameter.dim() >= 2; });
  int64_t at = 0;
  for (Slice& slice : slices_) {
    slice.begin = at;
    at += (slice.size + kAlign - 1) / kAlign * kAlign;
    if (slice.parameter.dim() >= 2) decayed_ = at;
  }
  const auto options = slices_[0].parameter.options().requires_grad(false).dtype(torch::kFloat32);
  values_ = torch::zeros({at}, options);
  gradients_ = torch::zeros({at}, options);
  const torch::NoGradGuard no_gradient;
  for (Slice& slice : slices_) {
    slice.Of(values_).copy_(slice.parameter);
    slice.parameter.set_data(slice.Of(values_));
    torch::autograd::impl::set_version_counter(slice.parameter, torch::autograd::impl::version_counter(values_));
    slice.parameter.mutable_grad() = slice.Of(gradients_);
  }
}

void Arena::Learn(bool on) {
  for (Slice& slice : slices_) slice.parameter.requires_grad_(on);
}

}  // namespace atelier::train
