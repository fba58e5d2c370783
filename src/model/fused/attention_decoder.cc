#include "model/fused/attention_decoder.h"

#include <algorithm>

#include "model/fused/step.h"

namespace atelier::model::fused {
namespace {

using kernel::LstmCell;
using kernel::Product;
using kernel::QueryAttention;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct TimeStep {
  int64_t first = 0, count = 0;  // rows
};

// What the way forth leaves for the way back.
struct KeptDecoder : torch::CustomClassHolder {
  AttentionWeights w;
  AttentionSource source;  // bf16
  std::vector<TimeStep> steps;
  int64_t rows = 0, sequences = 0, embedding = 0, width = 0, time = 0;
  torch::Tensor x, s, c;           // [rows, .] bf16
  torch::Tensor queries, weights;  // Q s' [rows, width] and a [rows, source time]
  torch::Tensor gates, cells;      // before their functions, bf16 [rows, 4 width]; [rows, width]
  torch::Tensor s0, cell0;         // [sequences, width] bf16, f32
  Packed token, context, state, query;

  // The state before a step.
  uint16_t* StateBefore(size_t t) const { return t == 0 ? Brains(s0) : Brains(s) + steps[t - 1].first * width; }
  float* CellsBefore(size_t t) const { return t == 0 ? Floats(cell0) : Floats(cells) + steps[t - 1].first * width; }
};

QueryAttention AttentionOf(const KeptDecoder& k, const TimeStep& step) {
  QueryAttention a;
  a.time = k.time, a.width = k.width, a.lengths = k.source.lengths.data_ptr<int64_t>();
  a.keys = Brains(k.source.keys), a.values = Brains(k.source.memory), a.energy = Floats(k.w.energy);
  a.query = Floats(k.queries) + step.first * k.width, a.weights = Floats(k.weights) + step.first * k.time;
  a.context = Brains(k.c) + step.first * k.width;
  return a;
}

LstmCell CellOf(const KeptDecoder& k, size_t t) {
  const TimeStep& step = k.steps[t];
  const int64_t at = step.first * k.width;
  LstmCell cell;
  cell.batch = step.count, cell.hidden = k.width;
  cell.kept = Brains(k.gates) + kGates * at, cell.c_prev = k.CellsBefore(t), cell.c = Floats(k.cells) + at;
  cell.h16 = Brains(k.s) + at, cell.h_stride = k.width;
  return cell;
}

variable_list Forward(KeptDecoder* k, bool training) {
  const int64_t rows = k->rows, width = k->width, embedding = k->embedding, total = kGates * width;
  const torch::Tensor input = k->w.cell.input.detach();
  k->token = Pack(input.narrow(1, 0, embedding), training);
  k->context = PackGates(input.narrow(1, embedding, width), training);
  k->state = PackGates(k->w.cell.state, training), k->query = Pack(k->w.query, training);
  k->s = NewBrains(rows, width), k->c = NewBrains(rows, width), k->cells = NewFloats(rows, width);
  k->gates = NewBrains(rows, total), k->queries = NewFloats(rows, width), k->weights = NewFloats(rows, k->time);
  const torch::Tensor bias = k->w.cell.input_bias.detach() + k->w.cell.state_bias.detach();
  Product p = RowsTimes(Brains(k->x), rows, embedding, embedding, k->token.forward, total);
  p.bias = Floats(bias), p.out16 = Brains(k->gates), p.out16_stride = total;
  Multiply(p);
  const torch::Tensor gates = NewFloats(k->sequences, total);
  for (size_t t = 0; t < k->steps.size(); ++t) {
    const TimeStep& step = k->steps[t];
    Product q = RowsTimes(k->StateBefore(t), step.count, width, width, k->query.forward, width);
    q.out = Floats(k->queries) + step.first * width, q.out_stride = width;
    Multiply(q);
    const QueryAttention attention = AttentionOf(*k, step);
    InParallel(step.count, [&](int64_t begin, int64_t end) { Kernels().query_forward(&attention, begin, end); });
    LstmCell cell = CellOf(*k, t);
    cell.gates = Floats(gates);
    InParallel(kernel::Panels(width), [&](int64_t begin, int64_t end) {
      MultiplyGates(attention.context, step.count, k->context, cell.kept, Floats(gates), begin, end);
      MultiplyGates(k->StateBefore(t), step.count, k->state, nullptr, Floats(gates), begin, end);
      CellsForward(cell, begin, end);
    });
  }
  return {k->s, k->c};
}

// What runs through the times on the way back, and what is left of it for all of them at once.
struct Gradients {
  torch::Tensor gates, queries;   // bf16, of all rows
  torch::Tensor s, cells;         // [sequences, width], of the state
  torch::Tensor context, scores;  // [sequences, .], of one time
  torch::Tensor keys, memory;     // [sequences, source time, width]
  torch::Tensor energy;           // [sequences, width]
};

// What the query of a step adds to the gradient of the state before it.
void AddQueryGradient(const KeptDecoder& k, const Gradients& g, size_t t, int64_t begin, int64_t end) {
  MultiplyBack(Brains(g.queries) + k.steps[t].first * k.width, k.steps[t].count, k.query, nullptr, true, Floats(g.s),
               begin, end);
}

void RunBack(const KeptDecoder& k, const uint16_t* d_states, const uint16_t* d_contexts, const Gradients& g) {
  const int64_t width = k.width, panels = kernel::Panels(width);
  for (size_t t = k.steps.size(); t-- > 0;) {
    const TimeStep& step = k.steps[t];
    const int64_t at = step.first * width;
    LstmCell cell = CellOf(k, t);
    cell.dh16 = d_states ? d_states + at : nullptr, cell.dh16_stride = width;
    cell.dh = Floats(g.s), cell.dc = Floats(g.cells), cell.d_gates = Brains(g.gates) + kGates * at;
    InParallel(panels, [&](int64_t begin, int64_t end) {
      if (t + 1 < k.steps.size()) AddQueryGradient(k, g, t + 1, begin, end);
      CellsBackward(cell, begin, end);
    });
    InParallel(panels, [&](int64_t begin, int64_t end) {
      MultiplyBack(cell.d_gates, step.count, k.context, d_contexts ? d_contexts + at : nullptr, false,
                   Floats(g.context), begin, end);
      MultiplyBack(cell.d_gates, step.count, k.state, nullptr, false, Floats(g.s), begin, end);
    });
    QueryAttention attention = AttentionOf(k, step);
    attention.d_context = Floats(g.context), attention.d_scores = Floats(g.scores);
    attention.d_query = Brains(g.queries) + at;
    attention.d_keys = Floats(g.keys), attention.d_values = Floats(g.memory), attention.d_energy = Floats(g.energy);
    InParallel(step.count, [&](int64_t begin, int64_t end) { Kernels().query_backward(&attention, begin, end); });
  }
  InParallel(panels, [&](int64_t begin, int64_t end) { AddQueryGradient(k, g, 0, begin, end); });
}

// s before each row, zipped.
torch::Tensor ZipBefore(const KeptDecoder& k) {
  const torch::Tensor before = NewBrains(k.rows, k.width);
  for (size_t t = 0; t < k.steps.size(); ++t) {
    std::copy_n(k.StateBefore(t), k.steps[t].count * k.width, Brains(before) + k.steps[t].first * k.width);
  }
  return Zip(Brains(before), k.rows, k.width, k.width, nullptr);
}

void AddGradients(const KeptDecoder& k, const Gradients& g) {
  const int64_t rows = k.rows, width = k.width, embedding = k.embedding, total = kGates * width;
  const LstmWeights& cell = k.w.cell;
  const torch::Tensor sums = torch::zeros({1, total});
  const torch::Tensor gates = Zip(Brains(g.gates), rows, total, total, Floats(sums)), before = ZipBefore(k);
  SumRows(sums, GradientOf(cell.input_bias));
  SumRows(sums, GradientOf(cell.state_bias));
  if (float* input = GradientOf(cell.input)) {
    AddWeightGradient(gates, Zip(Brains(k.x), rows, embedding, embedding, nullptr), rows, total, embedding, input,
                      embedding + width);
    AddWeightGradient(gates, Zip(Brains(k.c), rows, width, width, nullptr), rows, total, width, input + embedding,
                      embedding + width);
  }
  AddWeightGradient(gates, before, rows, total, width, GradientOf(cell.state));
  AddWeightGradient(Zip(Brains(g.queries), rows, width, width, nullptr), before, rows, width, width,
                    GradientOf(k.w.query));
  SumRows(g.energy, GradientOf(k.w.energy));
}

// The gradients of x, keys, memory, and the state before, from those of what Forward gave, of which any may be
// undefined.
variable_list Backward(const KeptDecoder& k, const variable_list& d) {
  const int64_t rows = k.rows, width = k.width, total = kGates * width;
  const torch::Tensor d_states = d[0].defined() ? d[0].contiguous() : torch::Tensor();
  const torch::Tensor d_contexts = d[1].defined() ? d[1].contiguous() : torch::Tensor();
  const auto zeros = [&](torch::IntArrayRef shape) { return torch::zeros(shape); };
  const Gradients g{NewBrains(rows, total),
                    NewBrains(rows, width),
                    zeros({k.sequences, width}),
                    zeros({k.sequences, width}),
                    NewFloats(k.sequences, width),
                    NewFloats(k.sequences, k.time),
                    zeros({k.sequences, k.time, width}),
                    zeros({k.sequences, k.time, width}),
                    zeros({k.sequences, width})};
  RunBack(k, d_states.defined() ? Brains(d_states) : nullptr, d_contexts.defined() ? Brains(d_contexts) : nullptr, g);
  AddGradients(k, g);
  torch::Tensor dx = NewBrains(rows, k.embedding);
  Product p = RowsTimes(Brains(g.gates), rows, total, total, k.token.backward, k.embedding);
  p.out16 = Brains(dx), p.out16_stride = k.embedding;
  Multiply(p);
  return {dx, Narrow(g.keys), Narrow(g.memory), g.s, g.cells};
}

class DecoderStep : public torch::autograd::Function<DecoderStep> {
 public:
  // The parameters are inputs so that the graph knows them; their gradients go straight to them.
  static variable_list forward(AutogradContext* ctx, const torch::Tensor&, const torch::Tensor&, const torch::Tensor&,
                               const torch::Tensor&, const torch::Tensor&, at::TensorList parameters, KeptDecoder* k) {
    ctx->set_materialize_grads(false);
    Keep(ctx, parameters, k);
    const variable_list out = Forward(k, true);
    k->s = k->s.detach();  // what is handed out will hold this node, and so must not be held by it
    k->c = k->c.detach();
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& d) {
    const torch::NoGradGuard no_gradient;
    variable_list gradients = Backward(*KeptBy<KeptDecoder>(ctx), d);
    gradients.resize(gradients.size() + ParametersOf(ctx) + 1);
    return gradients;
  }
};

}  // namespace

AttentionDecoded DecodeAttending(const torch::Tensor& x, const std::vector<int64_t>& sizes,
                                 const AttentionWeights& weights, const AttentionSource& source,
                                 const LstmState& before) {
  const torch::Tensor rows = x.to(torch::kBFloat16).contiguous();
  const torch::Tensor keys = source.keys.to(torch::kBFloat16).contiguous();
  const torch::Tensor memory = source.memory.to(torch::kBFloat16).contiguous();
  auto k = c10::make_intrusive<KeptDecoder>();
  k->w = weights, k->source = {keys.detach(), memory.detach(), source.lengths.contiguous()};
  k->rows = x.size(0), k->sequences = sizes[0], k->embedding = x.size(1), k->width = memory.size(2);
  k->time = memory.size(1), k->x = rows.detach();
  k->s0 = Narrow(before.h.detach().contiguous()), k->cell0 = before.c.detach().contiguous();
  int64_t row = 0;
  for (const int64_t size : sizes) {
    k->steps.push_back({row, size});
    row += size;
  }
  const LstmWeights& cell = weights.cell;
  const std::vector<torch::Tensor> parameters{weights.query, weights.energy,  cell.input,
                                              cell.state,    cell.input_bias, cell.state_bias};
  const variable_list out = torch::GradMode::is_enabled() ? DecoderStep::apply(rows, keys, memory, before.h, before.c,
                                                                               at::TensorList(parameters), k.get())
                                                          : Forward(k.get(), false);
  return {out[0], out[1]};
}

}  // namespace atelier::model::fused
