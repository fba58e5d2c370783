#include "model/recurrent.h"

#include <ATen/autocast_mode.h>

#include <cmath>
#include <optional>
#include <string>

#include "model/fused/ops.h"
#include "model/fused/recurrent.h"

namespace atelier::model {
namespace {

// oneDNN has no recurrent layers in bf16 where the processor has none: LibTorch's then compute in f32.
class AutocastWhereItRuns {
 public:
  AutocastWhereItRuns() {
    if (before_ && at::globalContext().userEnabledMkldnn() && !fused::Kernels().bf16)
      at::autocast::set_autocast_enabled(at::kCPU, false);
  }
  ~AutocastWhereItRuns() { at::autocast::set_autocast_enabled(at::kCPU, before_); }
  AutocastWhereItRuns(const AutocastWhereItRuns&) = delete;
  AutocastWhereItRuns& operator=(const AutocastWhereItRuns&) = delete;
  torch::Tensor Take(const torch::Tensor& x) const {
    return at::autocast::is_autocast_enabled(at::kCPU) ? x : x.to(torch::kFloat32);
  }

 private:
  const bool before_ = at::autocast::is_autocast_enabled(at::kCPU);
};

}  // namespace

Recurrent::Recurrent(const RecurrentConfig& config) : c_(config) {
  const int64_t directions = c_.bidirectional ? 2 : 1, gates = c_.gru ? 3 : 4;
  const double bound = 1 / std::sqrt(static_cast<double>(c_.hidden));
  for (int64_t layer = 0; layer < c_.layers; ++layer) {
    const int64_t input = layer == 0 ? c_.input : directions * c_.hidden;
    for (int64_t direction = 0; direction < directions; ++direction) {
      const std::string end = "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
      const auto add = [&](const char* name, torch::IntArrayRef sizes) {
        parameters_.push_back(register_parameter(name + end, torch::empty(sizes).uniform_(-bound, bound)));
      };
      add("weight_ih", {gates * c_.hidden, input});
      add("weight_hh", {gates * c_.hidden, c_.hidden});
      add("bias_ih", {gates * c_.hidden});
      add("bias_hh", {gates * c_.hidden});
    }
  }
}

Recurrent::Output Recurrent::forward(const torch::Tensor& in, const torch::Tensor& lengths) const {
  const bool fused = fused::Enabled() && !c_.gru;
  std::optional<AutocastWhereItRuns> autocast;
  if (!fused) autocast.emplace();
  const torch::Tensor x = fused ? in : autocast->Take(in);
  const int64_t states = c_.layers * (c_.bidirectional ? 2 : 1);
  const torch::Tensor zeros = fused ? torch::Tensor() : torch::zeros({states, x.size(0), c_.hidden}, x.options());
  Output out;
  if (!lengths.defined()) {
    if (fused) {
      const std::vector<int64_t> sizes(static_cast<size_t>(x.size(1)), x.size(0));
      out = ForwardRows(x.transpose(0, 1).flatten(0, 1), sizes);
      out.all = out.all.unflatten(0, {x.size(1), x.size(0)}).transpose(0, 1);
    } else if (c_.gru) {
      std::tie(out.all, out.hidden) = at::gru(x, zeros, parameters_, true, c_.layers, c_.dropout, is_training(),
                                              c_.bidirectional, /*batch_first=*/true);
    } else {
      std::tie(out.all, out.hidden, out.cell) = at::lstm(x, {zeros, zeros}, parameters_, true, c_.layers, c_.dropout,
                                                         is_training(), c_.bidirectional, /*batch_first=*/true);
    }
    return out;
  }
  // Packed: the rows from the longest to the shortest, and of each time only those that last as long.
  const auto [sorted, order] = lengths.to(torch::kCPU).sort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
  const torch::Tensor rows = order.to(x.device()), back = rows.argsort();
  const auto [data, sizes] = at::_pack_padded_sequence(x.index_select(0, rows), sorted, /*batch_first=*/true);
  torch::Tensor packed;
  if (fused) {
    const auto* size = sizes.data_ptr<int64_t>();
    out = ForwardRows(data, {size, size + sizes.numel()});
    packed = out.all;
  } else if (c_.gru) {
    std::tie(packed, out.hidden) =
        at::gru(data, sizes, zeros, parameters_, true, c_.layers, c_.dropout, is_training(), c_.bidirectional);
  } else {
    std::tie(packed, out.hidden, out.cell) = at::lstm(data, sizes, {zeros, zeros}, parameters_, true, c_.layers,
                                                      c_.dropout, is_training(), c_.bidirectional);
  }
  out.all = std::get<0>(at::_pad_packed_sequence(packed, sizes, /*batch_first=*/true, 0.0, x.size(1)));
  out.all = out.all.index_select(0, back);
  out.hidden = out.hidden.index_select(1, back);
  if (out.cell.defined()) out.cell = out.cell.index_select(1, back);
  return out;
}

Recurrent::Output Recurrent::ForwardRows(torch::Tensor x, const std::vector<int64_t>& sizes) const {
  std::vector<torch::Tensor> hidden, cell;
  const torch::Tensor* p = parameters_.data();
  for (int64_t layer = 0; layer < c_.layers; ++layer) {
    if (layer > 0) x = torch::dropout(x, c_.dropout, is_training());
    std::vector<torch::Tensor> sides;
    for (const bool reverse : {false, true}) {
      if (reverse && !c_.bidirectional) continue;
      const fused::LstmOutput out = fused::Lstm(x, sizes, {p[0], p[1], p[2], p[3]}, {}, reverse);
      sides.push_back(out.rows);
      hidden.push_back(out.after.h);
      cell.push_back(out.after.c);
      p += 4;
    }
    x = sides.size() == 1 ? sides[0] : torch::cat(sides, -1);
  }
  return {x, torch::stack(hidden), torch::stack(cell)};
}

torch::Tensor Recurrent::Step(torch::Tensor x, torch::TensorList before, std::vector<torch::Tensor>* after) const {
  for (int64_t layer = 0; layer < c_.layers; ++layer) {
    const auto at = static_cast<size_t>(layer);
    if (layer > 0) x = torch::dropout(x, c_.dropout, is_training());
    const torch::Tensor* p = &parameters_[4 * at];
    auto [h, c] = at::lstm_cell(x, before.slice(2 * at, 2), p[0], p[1], p[2], p[3]);
    after->push_back(h);
    after->push_back(c);
    x = h;
  }
  return x;
}

}  // namespace atelier::model
