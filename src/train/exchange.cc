#include "train/exchange.h"

#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>

namespace atelier::train {

struct Exchange::State {
  struct Bucket {
    int64_t begin = 0, end = 0;  // elements of the arena
    int parameters = 0, missing = 0;
  };

  Arena* arena;
  Collective* collective;
  // In the order in which they are sent, which all processes share: matrices from the last to the first, as the
  // backward pass comes by them, then the vectors of all layers, which end with the first.
  std::vector<Bucket> buckets;
  size_t sent = 0;
  bool on = false;
  // The node that adds to a parameter's gradient, with the key of our hook; held, so that it stays the same one.
  std::vector<std::pair<decltype(torch::autograd::impl::grad_accumulator(at::Tensor())), uintptr_t>> hooks;

  void SendNext() {
    const Bucket& bucket = buckets[sent++];
    float* data = arena->gradients().data_ptr<float>();
    collective->BeginSum({data + bucket.begin, static_cast<size_t>(bucket.end - bucket.begin)});
  }
  void Arrived(size_t index) {
    if (!on) return;
    --buckets[index].missing;
    while (sent < buckets.size() && buckets[sent].missing == 0) SendNext();
  }
};

Exchange::Exchange(Arena& arena, Collective& collective, int64_t bucket) : state_(std::make_unique<State>()) {
  state_->arena = &arena;
  state_->collective = &collective;
  if (collective.size() == 1) return;
  // Cut from the arena's beginning; a cut falls where the vectors begin.
  std::vector<State::Bucket> cut;
  std::vector<size_t> of_slice;
  for (const Slice& slice : arena.slices()) {
    if (cut.empty() || slice.begin - cut.back().begin >= bucket || slice.begin == arena.decayed()) {
      if (!cut.empty()) cut.back().end = slice.begin;
      cut.push_back({slice.begin, 0, 0, 0});
    }
    ++cut.back().parameters;
    of_slice.push_back(cut.size() - 1);
  }
  cut.back().end = arena.size();
  std::vector<size_t> place(cut.size());
  for (const bool vectors : {false, true}) {
    for (size_t i = cut.size(); i-- > 0;) {
      if ((cut[i].begin >= arena.decayed()) != vectors) continue;
      place[i] = state_->buckets.size();
      state_->buckets.push_back(cut[i]);
    }
  }
  for (size_t i = 0; i < of_slice.size(); ++i) {
    auto node = torch::autograd::impl::grad_accumulator(arena.slices()[i].parameter);
    State* state = state_.get();
    const size_t index = place[of_slice[i]];
    const uintptr_t key = node->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
        [state, index](const torch::autograd::variable_list& outputs, const torch::autograd::variable_list&) {
          state->Arrived(index);
          return outputs;
        }));
    state_->hooks.emplace_back(std::move(node), key);
  }
}

Exchange::~Exchange() {
  for (const auto& [node, key] : state_->hooks) node->del_post_hook(key);
}

void Exchange::Begin() {
  for (State::Bucket& bucket : state_->buckets) bucket.missing = bucket.parameters;
  state_->sent = 0;
  state_->on = true;
}

void Exchange::Finish() {
  state_->on = false;
  // A parameter that the loss does not reach has no gradient to wait for.
  while (state_->sent < state_->buckets.size()) state_->SendNext();
  state_->collective->Finish();
}

}  // namespace atelier::train
