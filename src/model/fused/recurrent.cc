#include "model/fused/recurrent.h"

#include <algorithm>

#include "model/fused/step.h"

namespace atelier::model::fused {
namespace {

using kernel::LstmCell;
using kernel::Product;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A time, in the order in which they run. Its first `known` sequences have their state before it in the rows of an
// earlier one that begin at `before`; the others begin here.
struct RecurrentStep {
  int64_t first = 0, count = 0;  // rows
  int64_t known = 0, before = 0;
};

std::vector<RecurrentStep> StepsOf(const std::vector<int64_t>& sizes, bool reverse) {
  std::vector<RecurrentStep> steps;
  int64_t row = 0;
  for (const int64_t size : sizes) {
    steps.push_back({row, size});
    row += size;
  }
  if (reverse) std::reverse(steps.begin(), steps.end());
  for (size_t i = 1; i < steps.size(); ++i) {
    steps[i].known = std::min(steps[i].count, steps[i - 1].count);
    steps[i].before = steps[i - 1].first;
  }
  return steps;
}

// What the way forth leaves for the way back.
struct KeptRecurrence : torch::CustomClassHolder {
  LstmWeights w;
  std::vector<RecurrentStep> steps;
  int64_t rows = 0, sequences = 0, ins = 0, hidden = 0;
  torch::Tensor x, h, gates;  // bf16 [rows, .]: in, out, and the gates before their functions
  torch::Tensor c;            // [rows, hidden]
  torch::Tensor h0, c0;       // [sequences, hidden] bf16, f32; undefined: zeros
  Packed input, state;
};

// The sequences of a step by where their state before it is: body(first sequence, how many, h, c), null for zeros.
template <typename Body>
void ForParts(const KeptRecurrence& k, const RecurrentStep& s, const Body& body) {
  const int64_t from = s.before * k.hidden, begin = s.known * k.hidden;
  if (s.known > 0) body(0, s.known, Brains(k.h) + from, Floats(k.c) + from);
  if (s.known == s.count) return;
  const bool given = k.h0.defined();
  body(s.known, s.count - s.known, given ? Brains(k.h0) + begin : nullptr, given ? Floats(k.c0) + begin : nullptr);
}

// Units of 64 [begin, end) of a time: their gates, then their cells. `gates` [sequences, 4 hidden] is scratch.
void StepForward(const KeptRecurrence& k, const RecurrentStep& s, bool training, float* gates, float* h, int64_t begin,
                 int64_t end) {
  const int64_t hidden = k.hidden, width = kGates * hidden;
  ForParts(k, s, [&](int64_t sequence, int64_t count, uint16_t* h_before, float* c_before) {
    uint16_t* kept = Brains(k.gates) + (s.first + sequence) * width;
    const int64_t at = (s.first + sequence) * hidden;
    MultiplyGates(h_before, count, k.state, kept, gates + sequence * width, begin, end);
    LstmCell cell;
    cell.batch = count, cell.hidden = hidden;
    cell.gates = gates + sequence * width, cell.kept = training ? kept : nullptr;
    cell.c_prev = c_before, cell.c = Floats(k.c) + at;
    cell.h = h + sequence * hidden, cell.h16 = Brains(k.h) + at, cell.h_stride = hidden;
    CellsForward(cell, begin, end);
  });
}

variable_list Forward(KeptRecurrence* k, bool training) {
  const int64_t rows = k->rows, hidden = k->hidden, width = kGates * hidden;
  k->input = Pack(k->w.input, training), k->state = PackGates(k->w.state, training);
  k->gates = NewBrains(rows, width), k->h = NewBrains(rows, hidden), k->c = NewFloats(rows, hidden);
  const torch::Tensor bias = k->w.input_bias.detach() + k->w.state_bias.detach();
  Product p = RowsTimes(Brains(k->x), rows, k->ins, k->ins, k->input.forward, width);
  p.bias = Floats(bias), p.out16 = Brains(k->gates), p.out16_stride = width;
  Multiply(p);
  const torch::Tensor gates = NewFloats(k->sequences, width), h = NewFloats(k->sequences, hidden);
  const torch::Tensor c = NewFloats(k->sequences, hidden);
  for (size_t i = 0; i < k->steps.size(); ++i) {
    const RecurrentStep& s = k->steps[i];
    InParallel(kernel::Panels(hidden),
               [&](int64_t begin, int64_t end) { StepForward(*k, s, training, Floats(gates), Floats(h), begin, end); });
    const int64_t go_on = i + 1 < k->steps.size() ? k->steps[i + 1].known : 0;
    std::copy_n(Floats(k->c) + (s.first + go_on) * hidden, (s.count - go_on) * hidden, Floats(c) + go_on * hidden);
  }
  return {k->h, h, c};
}

void StepBackward(const KeptRecurrence& k, const RecurrentStep& s, const uint16_t* d_rows, uint16_t* d_gates, float* dh,
                  float* dc, int64_t begin, int64_t end) {
  const int64_t hidden = k.hidden, width = kGates * hidden;
  ForParts(k, s, [&](int64_t sequence, int64_t count, uint16_t*, float* c_before) {
    const int64_t row = s.first + sequence, at = row * hidden;
    LstmCell cell;
    cell.batch = count, cell.hidden = hidden;
    cell.kept = Brains(k.gates) + row * width, cell.c_prev = c_before, cell.c = Floats(k.c) + at;
    cell.dh16 = d_rows ? d_rows + at : nullptr, cell.dh16_stride = hidden;
    cell.dh = dh + sequence * hidden, cell.dc = dc + sequence * hidden, cell.d_gates = d_gates + row * width;
    CellsBackward(cell, begin, end);
  });
}

// h before each row.
torch::Tensor Before(const KeptRecurrence& k) {
  torch::Tensor before = NewBrains(k.rows, k.hidden);
  for (const RecurrentStep& s : k.steps) {
    ForParts(k, s, [&](int64_t sequence, int64_t count, const uint16_t* h, const float*) {
      uint16_t* to = Brains(before) + (s.first + sequence) * k.hidden;
      if (h) {
        std::copy_n(h, count * k.hidden, to);
      } else {
        std::fill_n(to, count * k.hidden, uint16_t{0});
      }
    });
  }
  return before;
}

torch::Tensor CopyOrZeros(const KeptRecurrence& k, const torch::Tensor& d) {
  return d.defined() ? d.clone(torch::MemoryFormat::Contiguous) : torch::zeros({k.sequences, k.hidden});
}

// The gradients of x, h0, c0 from those of what Forward gave, of which any may be undefined.
variable_list Backward(const KeptRecurrence& k, const variable_list& d) {
  const int64_t rows = k.rows, hidden = k.hidden, width = kGates * hidden, panels = kernel::Panels(hidden);
  const torch::Tensor d_rows = d[0].defined() ? d[0].contiguous() : torch::Tensor();
  const torch::Tensor dh = CopyOrZeros(k, d[1]), dc = CopyOrZeros(k, d[2]);
  const torch::Tensor d_gates = NewBrains(rows, width);
  const uint16_t* out = d_rows.defined() ? Brains(d_rows) : nullptr;
  const bool starts = k.h0.defined();
  for (size_t i = k.steps.size(); i-- > 0;) {
    InParallel(panels, [&](int64_t begin, int64_t end) {  // a thread goes on with the units whose dh it has made
      if (i + 1 < k.steps.size()) {
        const RecurrentStep& later = k.steps[i + 1];
        MultiplyBack(Brains(d_gates) + later.first * width, starts ? later.count : later.known, k.state, nullptr, false,
                     Floats(dh), begin, end);
      }
      StepBackward(k, k.steps[i], out, Brains(d_gates), Floats(dh), Floats(dc), begin, end);
    });
  }
  if (starts) {
    const RecurrentStep& s = k.steps[0];
    InParallel(panels, [&](int64_t begin, int64_t end) {
      MultiplyBack(Brains(d_gates) + s.first * width, s.count, k.state, nullptr, false, Floats(dh), begin, end);
    });
  }

  const torch::Tensor sums = torch::zeros({1, width});
  const torch::Tensor zipped = Zip(Brains(d_gates), rows, width, width, Floats(sums));
  SumRows(sums, GradientOf(k.w.input_bias));
  SumRows(sums, GradientOf(k.w.state_bias));
  AddWeightGradient(zipped, Zip(Brains(k.x), rows, k.ins, k.ins, nullptr), rows, width, k.ins, GradientOf(k.w.input));
  AddWeightGradient(zipped, Zip(Brains(Before(k)), rows, hidden, hidden, nullptr), rows, width, hidden,
                    GradientOf(k.w.state));
  torch::Tensor dx = NewBrains(rows, k.ins);
  Product p = RowsTimes(Brains(d_gates), rows, width, width, k.input.backward, k.ins);
  p.out16 = Brains(dx), p.out16_stride = k.ins;
  Multiply(p);
  if (!starts) return {dx};
  return {dx, dh, dc};
}

class LstmStep : public torch::autograd::Function<LstmStep> {
 public:
  // more: the parameters, so that the graph knows them, though their gradients go straight to them; then the first
  // state where there is one.
  static variable_list forward(AutogradContext* ctx, const torch::Tensor&, at::TensorList more, KeptRecurrence* k) {
    ctx->set_materialize_grads(false);
    Keep(ctx, more, k);
    const variable_list out = Forward(k, true);
    k->h = k->h.detach();  // what is handed out will hold this node, and so must not be held by it
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& d) {
    const torch::NoGradGuard no_gradient;
    variable_list gradients(ParametersOf(ctx) + 2);
    const variable_list made = Backward(*KeptBy<KeptRecurrence>(ctx), d);
    gradients[0] = made[0];
    std::copy(made.begin() + 1, made.end(), gradients.end() - 3);
    return gradients;
  }
};

}  // namespace

LstmOutput Lstm(const torch::Tensor& x, const std::vector<int64_t>& sizes, const LstmWeights& weights,
                const LstmState& before, bool reverse) {
  const torch::Tensor rows = x.to(torch::kBFloat16).contiguous();
  auto k = c10::make_intrusive<KeptRecurrence>();
  k->w = weights, k->steps = StepsOf(sizes, reverse), k->x = rows.detach();
  k->rows = x.size(0), k->ins = x.size(1), k->sequences = sizes[0], k->hidden = weights.state.size(1);
  std::vector<torch::Tensor> more{weights.input, weights.state, weights.input_bias, weights.state_bias};
  if (before.h.defined()) {
    k->h0 = Narrow(before.h.detach().contiguous()), k->c0 = before.c.detach().contiguous();
    more.insert(more.end(), {before.h, before.c});
  }
  const variable_list out =
      torch::GradMode::is_enabled() ? LstmStep::apply(rows, at::TensorList(more), k.get()) : Forward(k.get(), false);
  return {out[0], {out[1], out[2]}};
}

}  // namespace atelier::model::fused
