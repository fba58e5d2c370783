#include "model/fused/attention.h"

#include <numeric>

#include "model/fused/ops.h"

namespace atelier::model::fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct KeptAttention : torch::CustomClassHolder {
  AttentionShape s;
  std::vector<int64_t> positions;
  int64_t longest = 0;
  torch::Tensor q, k, v, out, log_sum;
  kernel::Dropout drop;

  int64_t rows() const { return s.starts.back(); }
};

void Turn(const KeptAttention& c, const torch::Tensor& x, int64_t heads, bool back) {
  if (!c.s.cosines.defined()) return;
  InParallel(c.rows(), [&](int64_t begin, int64_t end) {
    kernel::Rotation r;
    r.x = Brains(x), r.stride = x.size(1), r.heads = heads, r.dim = c.s.head_dim, r.positions = c.positions.data();
    r.cosines = Floats(c.s.cosines), r.sines = Floats(c.s.sines), r.back = back, r.halves = c.s.halves;
    Kernels().rotate(&r, begin, end);
  });
}

kernel::FlashAttention WorkOf(const KeptAttention& c) {
  kernel::FlashAttention a;
  a.sequences = std::ssize(c.s.starts) - 1, a.q_starts = a.k_starts = c.s.starts.data();
  a.heads = c.s.heads, a.kv_heads = c.s.kv_heads, a.head_dim = c.s.head_dim;
  a.scale = static_cast<float>(c.s.scale), a.causal = c.s.causal;
  if (c.s.dropout > 0) a.dropout = &c.drop;
  a.q = Brains(c.q), a.k = Brains(c.k), a.v = Brains(c.v);
  a.q_stride = c.q.size(1), a.k_stride = a.v_stride = c.k.size(1);
  a.out = Brains(c.out), a.out_stride = c.out.size(1);
  a.log_sum = Floats(c.log_sum);
  return a;
}

void Attend(const KeptAttention& c, const kernel::FlashAttention& work, bool backward) {
  const int64_t bytes = kernel::AttentionWorkspace(c.s.head_dim, c.longest, c.longest, backward);
  InParallel(work.sequences * work.kv_heads, [&](int64_t begin, int64_t end) {
    const torch::Tensor space = torch::empty({bytes}, torch::kUInt8);
    (backward ? Kernels().attend_backward : Kernels().attend_forward)(&work, begin, end, space.data_ptr());
  });
}

void Forward(KeptAttention* c) {
  for (size_t i = 0; i + 1 < c->s.starts.size(); ++i)
    c->longest = std::max(c->longest, c->s.starts[i + 1] - c->s.starts[i]);
  c->positions.resize(static_cast<size_t>(c->rows()));
  for (size_t i = 0; i + 1 < c->s.starts.size(); ++i)
    std::iota(c->positions.begin() + c->s.starts[i], c->positions.begin() + c->s.starts[i + 1], 0);
  Turn(*c, c->q, c->s.heads, false);
  Turn(*c, c->k, c->s.kv_heads, false);
  c->out = NewBrains(c->rows(), c->s.heads * c->s.head_dim), c->log_sum = NewFloats(c->s.heads, c->rows());
  Attend(*c, WorkOf(*c), false);
}

class AttentionNode : public torch::autograd::Function<AttentionNode> {
 public:
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& q, const torch::Tensor& k,
                               const torch::Tensor& v, KeptAttention* kept) {
    ctx->saved_data["kept"] =
        c10::IValue::make_capsule(c10::intrusive_ptr<torch::CustomClassHolder>::reclaim_copy(kept));
    kept->q = q.detach(), kept->k = k.detach(), kept->v = v.detach();
    Forward(kept);
    return kept->out.detach();  // what a node keeps must not know the node
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& d) {
    const torch::NoGradGuard no_gradient;
    const auto kept = c10::static_intrusive_pointer_cast<KeptAttention>(ctx->saved_data["kept"].toCapsule());
    const torch::Tensor d_out = d[0].contiguous();
    const torch::Tensor dq = NewBrains(kept->rows(), kept->q.size(1)), dk = NewBrains(kept->rows(), kept->k.size(1)),
                        dv = NewBrains(kept->rows(), kept->v.size(1));
    kernel::FlashAttention a = WorkOf(*kept);
    a.d_out = Brains(d_out), a.d_out_stride = d_out.size(1);
    a.dq = Brains(dq), a.dk = Brains(dk), a.dv = Brains(dv);
    a.dq_stride = dq.size(1), a.dk_stride = a.dv_stride = dk.size(1);
    Attend(*kept, a, true);
    Turn(*kept, dq, kept->s.heads, true);
    Turn(*kept, dk, kept->s.kv_heads, true);
    return {dq, dk, dv, torch::Tensor()};
  }
};

class GateNode : public torch::autograd::Function<GateNode> {
 public:
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& gate, const torch::Tensor& up, int64_t act) {
    ctx->save_for_backward({gate, up});
    ctx->saved_data["act"] = act;
    const torch::Tensor out = NewBrains(gate.size(0), gate.size(1));
    ForRows(gate, [&](int64_t at, int64_t n) {
      Kernels().gated_forward(static_cast<kernel::Activation>(act), Brains(gate) + at, Brains(up) + at, n,
                              Brains(out) + at);
    });
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& d) {
    const torch::NoGradGuard no_gradient;
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor &gate = saved[0], &up = saved[1], d_out = d[0].contiguous();
    const auto act = static_cast<kernel::Activation>(ctx->saved_data["act"].toInt());
    const torch::Tensor d_gate = NewBrains(gate.size(0), gate.size(1)), d_up = NewBrains(gate.size(0), gate.size(1));
    ForRows(gate, [&](int64_t at, int64_t n) {
      Kernels().gated_backward(act, Brains(gate) + at, Brains(up) + at, Brains(d_out) + at, n, Brains(d_gate) + at,
                               Brains(d_up) + at);
    });
    return {d_gate, d_up, torch::Tensor()};
  }

 private:
  template <typename Body>
  static void ForRows(const torch::Tensor& x, const Body& body) {
    InParallel(x.size(0), [&](int64_t begin, int64_t end) { body(begin * x.size(1), (end - begin) * x.size(1)); });
  }
};

}  // namespace

torch::Tensor SelfAttention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                            const AttentionShape& shape) {
  auto kept = c10::make_intrusive<KeptAttention>();
  kept->s = shape;
  if (shape.dropout > 0) kept->drop = {Draw(), 0, static_cast<float>(shape.dropout)};
  return AttentionNode::apply(q.contiguous(), k.contiguous(), v.contiguous(), kept.get());
}

torch::Tensor Gated(kernel::Activation act, const torch::Tensor& gate, const torch::Tensor& up) {
  return GateNode::apply(gate.contiguous(), up.contiguous(), static_cast<int64_t>(act));
}

}  // namespace atelier::model::fused
