#include "model/fused/block.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <numeric>

#include "model/fused/norm.h"
#include "model/fused/ops.h"
#include "model/fused/step.h"

namespace atelier::model::fused {
namespace {

using kernel::Dropout;
using kernel::FlashAttention;
using kernel::Product;
using Affine = BlockWeights::Affine;

// What a block's way forth leaves for its way back.
struct KeptBlock : torch::CustomClassHolder {
  BlockWeights w;
  BlockShape s;
  int64_t rows = 0, width = 0, head = 0, kv = 0, hidden = 0;
  Normed attn_norm, ffn_norm;
  torch::Tensor n1, qkv, attended, n2;  // bf16: what attention and the feed-forward read, and attention's insides
  torch::Tensor log_sum;                // [heads, rows]
  torch::Tensor up, acted;              // [rows, hidden] the activation's input, its output
  torch::Tensor gate;                   // gated: `up` is what the gate multiplies
  Packed q, k, v, output, gate_w, up_w, down;
  uint64_t seed = 0;
  Dropout attention_drop;
  int64_t longest = 0;
  std::vector<int64_t> positions;

  int64_t sequences() const { return static_cast<int64_t>(s.starts.size()) - 1; }
  bool gated() const { return w.gate.weight.defined(); }
  bool drops() const { return s.dropout > 0; }
  Dropout drop(uint64_t part) const { return {seed, part, static_cast<float>(s.dropout)}; }
};

NormWeights NormOf(const KeptBlock& c, const Affine& affine) {
  return {affine.weight, affine.bias, c.s.rms, c.s.norm_eps};
}

// x W^T + b as bf16 into `out` by `stride`.
Product Linear(const torch::Tensor& x, const Packed& w, const Affine& affine, uint16_t* out, int64_t stride) {
  Product p = RowsTimes(Brains(x), x.size(0), w.ins, x.size(1), w.forward, w.outs);
  p.bias = Floats(affine.bias);
  p.out16 = out, p.out16_stride = stride;
  return p;
}

// x + W y (+ b), with dropout between.
torch::Tensor AddBranch(const KeptBlock& c, const torch::Tensor& x, const torch::Tensor& y, const Packed& w,
                        const Affine& affine, uint64_t part) {
  torch::Tensor sum = NewFloats(c.rows, c.width);
  if (!c.drops()) {
    Product p = Linear(y, w, affine, nullptr, 0);
    p.add = Floats(x), p.add_stride = c.width;
    p.out = Floats(sum), p.out_stride = c.width;
    Multiply(p);
    return sum;
  }
  const torch::Tensor branch = NewBrains(c.rows, c.width);
  Multiply(Linear(y, w, affine, Brains(branch), c.width));
  DropRows(c.drop(part), branch);
  torch::add_out(sum, x, branch);
  return sum;
}

void RotateHeads(const KeptBlock& c, const torch::Tensor& qkv, bool back) {
  if (!c.s.cosines.defined()) return;
  const int64_t stride = qkv.size(1);
  InParallel(c.rows, [&](int64_t begin, int64_t end) {
    kernel::Rotation r;
    r.x = Brains(qkv), r.stride = stride, r.heads = c.s.heads + c.s.kv_heads, r.dim = c.head;  // q and k side by side
    r.positions = c.positions.data(), r.cosines = Floats(c.s.cosines), r.sines = Floats(c.s.sines), r.back = back;
    Kernels().rotate(&r, begin, end);
  });
}

FlashAttention AttentionOf(const KeptBlock& c) {
  FlashAttention a;
  a.sequences = c.sequences(), a.q_starts = a.k_starts = c.s.starts.data();
  a.heads = c.s.heads, a.kv_heads = c.s.kv_heads, a.head_dim = c.head;
  a.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c.head)));
  a.causal = c.s.causal;
  if (c.s.attention_dropout > 0) a.dropout = &c.attention_drop;
  a.q = Brains(c.qkv), a.k = a.q + c.width, a.v = a.k + c.kv;
  a.q_stride = a.k_stride = a.v_stride = c.width + 2 * c.kv;
  a.out = Brains(c.attended), a.out_stride = c.width;
  a.log_sum = Floats(c.log_sum);
  return a;
}

// Threads share heads, not sequences, whose lengths differ.
void Attend(const KeptBlock& c, const FlashAttention& work, bool backward) {
  const int64_t bytes = kernel::AttentionWorkspace(c.head, c.longest, c.longest, backward);
  const int64_t sequences = c.sequences(), heads = c.s.kv_heads;
  InParallel(sequences * heads, [&](int64_t begin, int64_t end) {
    const torch::Tensor space = torch::empty({bytes}, torch::kUInt8);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t unit = i % sequences * heads + i / sequences;
      (backward ? Kernels().attend_backward : Kernels().attend_forward)(&work, unit, unit + 1, space.data_ptr());
    }
  });
}

// x + what attention makes of n1.
torch::Tensor AddAttention(KeptBlock* c, const torch::Tensor& x) {
  const BlockWeights& w = c->w;
  const int64_t total = c->width + 2 * c->kv;
  c->qkv = NewBrains(c->rows, total);
  Multiply(Linear(c->n1, c->q, w.q, Brains(c->qkv), total));
  Multiply(Linear(c->n1, c->k, w.k, Brains(c->qkv) + c->width, total));
  Multiply(Linear(c->n1, c->v, w.v, Brains(c->qkv) + c->width + c->kv, total));
  RotateHeads(*c, c->qkv, false);
  c->attended = NewBrains(c->rows, c->width), c->log_sum = NewFloats(c->s.heads, c->rows);
  Attend(*c, AttentionOf(*c), false);
  return AddBranch(*c, x, c->attended, c->output, w.output, 0);
}

// x + what the feed-forward makes of n2.
torch::Tensor AddFeedForward(KeptBlock* c, const torch::Tensor& x) {
  const BlockWeights& w = c->w;
  c->up = NewBrains(c->rows, c->hidden), c->acted = NewBrains(c->rows, c->hidden);
  if (c->gated()) {
    c->gate = NewBrains(c->rows, c->hidden);
    Multiply(Linear(c->n2, c->gate_w, w.gate, Brains(c->gate), c->hidden));
    Multiply(Linear(c->n2, c->up_w, w.up, Brains(c->up), c->hidden));
    InParallel(c->rows, [&](int64_t begin, int64_t end) {
      const int64_t at = begin * c->hidden;
      Kernels().gated_forward(c->s.act, Brains(c->gate) + at, Brains(c->up) + at, (end - begin) * c->hidden,
                              Brains(c->acted) + at);
    });
  } else {
    Product p = Linear(c->n2, c->up_w, w.up, Brains(c->acted), c->hidden);
    p.act = c->s.act, p.pre16 = Brains(c->up), p.pre16_stride = c->hidden;
    Multiply(p);
  }
  return AddBranch(*c, x, c->acted, c->down, w.down, 1);
}

torch::Tensor Forward(KeptBlock* c, const torch::Tensor& x, bool training) {
  const BlockWeights& w = c->w;
  c->q = Pack(w.q.weight, training), c->k = Pack(w.k.weight, training), c->v = Pack(w.v.weight, training);
  c->output = Pack(w.output.weight, training);
  c->up_w = Pack(w.up.weight, training), c->down = Pack(w.down.weight, training);
  if (c->gated()) c->gate_w = Pack(w.gate.weight, training);

  const NormWeights attn_norm = NormOf(*c, w.attn_norm), ffn_norm = NormOf(*c, w.ffn_norm);
  torch::Tensor middle;
  if (c->s.post) {
    torch::Tensor y;
    c->n1 = Narrow(x);
    c->attn_norm = NormForward(attn_norm, AddAttention(c, x), &middle, &c->n2);
    c->ffn_norm = NormForward(ffn_norm, AddFeedForward(c, middle), &y, nullptr);
    return y;
  }
  c->attn_norm = NormForward(attn_norm, x, nullptr, &c->n1);
  middle = AddAttention(c, x);
  c->ffn_norm = NormForward(ffn_norm, middle, nullptr, &c->n2);
  return AddFeedForward(c, middle);
}

// Gradients of a linear layer's parameters from dy and its zipped input.
void AddGradients(const Affine& affine, const uint16_t* dy, int64_t rows, int64_t outs, int64_t stride,
                  const torch::Tensor& x_zipped, int64_t ins) {
  float* d_weight = GradientOf(affine.weight);
  float* d_bias = GradientOf(affine.bias);
  if (d_weight == nullptr && d_bias == nullptr) return;
  AddWeightGradient(Zip(dy, rows, outs, stride, d_bias), x_zipped, rows, outs, ins, d_weight);
}

torch::Tensor ZipAll(const torch::Tensor& x) { return Zip(Brains(x), x.size(0), x.size(1), x.size(1), nullptr); }

// One layer's share in the gradient of what several read.
struct Share {
  const uint16_t* d;  // of what it made
  int64_t stride;
  const Packed* w;
};

// The sum of d W over the layers: bf16 by itself, f32 with `residual` added to it.
torch::Tensor Back(const KeptBlock& c, std::initializer_list<Share> shares, const torch::Tensor& residual) {
  const bool wide = residual.defined();
  torch::Tensor sum = wide ? NewFloats(c.rows, c.width) : NewBrains(c.rows, c.width);
  for (const Share& share : shares) {
    const bool first = &share == shares.begin();
    Product p = RowsTimes(share.d, c.rows, share.w->outs, share.stride, share.w->backward, share.w->ins);
    if (wide) {
      p.out = Floats(sum), p.out_stride = c.width, p.accumulate = !first;
      if (first) p.add = Floats(residual), p.add_stride = c.width;
    } else {
      p.out16 = Brains(sum), p.out16_stride = c.width;
      if (!first) p.add16 = p.out16, p.add16_stride = c.width;
    }
    Multiply(p);
  }
  return sum;
}

// From the gradient of what the feed-forward added (overwritten) that of n2, with `residual` as in Back.
torch::Tensor FeedForwardBack(const KeptBlock& c, const torch::Tensor& d16, const torch::Tensor& residual) {
  const BlockWeights& w = c.w;
  const int64_t rows = c.rows, width = c.width, hidden = c.hidden;
  DropRows(c.drop(1), d16);
  AddGradients(w.down, Brains(d16), rows, width, width, ZipAll(c.acted), hidden);
  const torch::Tensor d_up = NewBrains(rows, hidden), n2 = ZipAll(c.n2);
  Product p = RowsTimes(Brains(d16), rows, width, width, c.down.backward, hidden);
  p.out16 = Brains(d_up), p.out16_stride = hidden;
  if (!c.gated()) {
    p.act = c.s.act, p.slope16 = Brains(c.up), p.slope16_stride = hidden;
    Multiply(p);
    AddGradients(w.up, Brains(d_up), rows, hidden, hidden, n2, width);
    return Back(c, {{Brains(d_up), hidden, &c.up_w}}, residual);
  }
  Multiply(p);
  const torch::Tensor d_gate = NewBrains(rows, hidden);
  InParallel(rows, [&](int64_t begin, int64_t end) {
    const int64_t at = begin * hidden;
    Kernels().gated_backward(c.s.act, Brains(c.gate) + at, Brains(c.up) + at, Brains(d_up) + at, (end - begin) * hidden,
                             Brains(d_gate) + at, Brains(d_up) + at);
  });
  AddGradients(w.gate, Brains(d_gate), rows, hidden, hidden, n2, width);
  AddGradients(w.up, Brains(d_up), rows, hidden, hidden, n2, width);
  return Back(c, {{Brains(d_gate), hidden, &c.gate_w}, {Brains(d_up), hidden, &c.up_w}}, residual);
}

// The same of what attention added, and of n1.
torch::Tensor AttentionBack(const KeptBlock& c, const torch::Tensor& d16, const torch::Tensor& residual) {
  const BlockWeights& w = c.w;
  const int64_t rows = c.rows, width = c.width, total = width + 2 * c.kv;
  DropRows(c.drop(0), d16);
  AddGradients(w.output, Brains(d16), rows, width, width, ZipAll(c.attended), width);
  const torch::Tensor d_attended = Back(c, {{Brains(d16), width, &c.output}}, {}), d_qkv = NewBrains(rows, total);
  FlashAttention a = AttentionOf(c);
  a.d_out = Brains(d_attended), a.d_out_stride = width;
  a.dq = Brains(d_qkv), a.dk = a.dq + width, a.dv = a.dk + c.kv;
  a.dq_stride = a.dk_stride = a.dv_stride = total;
  Attend(c, a, true);
  RotateHeads(c, d_qkv, true);
  const torch::Tensor n1 = ZipAll(c.n1);
  AddGradients(w.q, a.dq, rows, width, total, n1, width);
  AddGradients(w.k, a.dk, rows, c.kv, total, n1, width);
  AddGradients(w.v, a.dv, rows, c.kv, total, n1, width);
  return Back(c, {{a.dq, total, &c.q}, {a.dk, total, &c.k}, {a.dv, total, &c.v}}, residual);
}

torch::Tensor Backward(const KeptBlock& c, const torch::Tensor& d_out) {
  const NormWeights attn_norm = NormOf(c, c.w.attn_norm), ffn_norm = NormOf(c, c.w.ffn_norm);
  torch::Tensor d16;
  if (c.s.post) {
    torch::Tensor d_sum = NormBackward(ffn_norm, c.ffn_norm, d_out, {}, &d16);
    const torch::Tensor d_middle = FeedForwardBack(c, d16, d_sum);
    d_sum = NormBackward(attn_norm, c.attn_norm, d_middle, {}, &d16);
    return AttentionBack(c, d16, d_sum);
  }
  const torch::Tensor d_n2 = FeedForwardBack(c, Narrow(d_out), {});
  const torch::Tensor d_middle = NormBackward(ffn_norm, c.ffn_norm, d_n2, d_out, &d16);
  return NormBackward(attn_norm, c.attn_norm, AttentionBack(c, d16, {}), d_middle, nullptr);
}

c10::intrusive_ptr<KeptBlock> Prepare(const torch::Tensor& x, const BlockWeights& weights, const BlockShape& shape) {
  auto c = c10::make_intrusive<KeptBlock>();
  c->w = weights, c->s = shape;
  c->rows = x.size(0), c->width = x.size(1), c->head = c->width / shape.heads, c->kv = c->head * shape.kv_heads;
  c->hidden = weights.up.weight.size(0);
  if (shape.dropout > 0 || shape.attention_dropout > 0) c->seed = Draw();
  c->attention_drop = {c->seed, 2, static_cast<float>(shape.attention_dropout)};
  c->positions.resize(static_cast<size_t>(c->rows));
  for (size_t i = 0; i + 1 < shape.starts.size(); ++i) {
    const int64_t begin = shape.starts[i], end = shape.starts[i + 1];
    c->longest = std::max(c->longest, end - begin);
    std::iota(c->positions.begin() + begin, c->positions.begin() + end, 0);
  }
  return c;
}

}  // namespace

std::vector<int64_t> EqualStarts(int64_t sequences, int64_t time) {
  std::vector<int64_t> starts;
  for (int64_t i = 0; i <= sequences; ++i) starts.push_back(i * time);
  return starts;
}

torch::Tensor Block(const torch::Tensor& x, const BlockWeights& weights, const BlockShape& shape) {
  const torch::Tensor rows = x.contiguous();
  std::vector<torch::Tensor> parameters;
  const BlockWeights& w = weights;
  for (const Affine* a : {&w.attn_norm, &w.q, &w.k, &w.v, &w.output, &w.ffn_norm, &w.gate, &w.up, &w.down}) {
    parameters.insert(parameters.end(), {a->weight, a->bias});
  }
  return RunStep(rows, std::move(parameters), Prepare(rows, weights, shape));
}

}  // namespace atelier::model::fused
