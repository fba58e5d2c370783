#include "model/fused/mlp.h"

#include "model/fused/ops.h"

namespace atelier::model::fused {
namespace {

using kernel::Product;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Kept : torch::CustomClassHolder {
  std::vector<MlpLayer> layers;
  kernel::Activation act = kernel::Activation::kNone;
  double dropout = 0;
  uint64_t seed = 0;
  bool wants_dx = false;
  std::vector<Packed> weights;
  std::vector<torch::Tensor> inputs;  // bf16 [rows, ins] of each layer
  std::vector<torch::Tensor> before;  // bf16 [rows, outs] of each but the last, before its activation
};

// Of what layer `layer` gives, or of its gradient: both lose the same numbers.
void Drop(const Kept& c, size_t layer, const torch::Tensor& x) {
  if (c.dropout == 0) return;
  const kernel::Dropout how{c.seed, layer, static_cast<float>(c.dropout)};
  constexpr int64_t kPiece = 64 * kernel::kDropoutChunk;
  const int64_t n = x.numel();
  InParallel((n + kPiece - 1) / kPiece, [&](int64_t begin, int64_t end) {
    uint16_t* at = Brains(x) + begin * kPiece;
    Kernels().drop16(&how, begin * kPiece, at, std::min(n, end * kPiece) - begin * kPiece, at);
  });
}

torch::Tensor Forward(Kept* c, const torch::Tensor& x, bool training) {
  const int64_t rows = x.size(0);
  torch::Tensor in = Narrow(x), out;
  for (size_t i = 0; i < c->layers.size(); ++i) {
    const bool last = i + 1 == c->layers.size();
    const Packed w = Pack(c->layers[i].weight, training && (i > 0 || c->wants_dx));
    Product p = RowsTimes(Brains(in), rows, w.ins, w.ins, w.forward, w.outs);
    p.bias = Floats(c->layers[i].bias);
    torch::Tensor next, pre;
    if (last) {
      out = NewFloats(rows, w.outs);
      p.out = Floats(out), p.out_stride = w.outs;
    } else {
      next = NewBrains(rows, w.outs);
      p.act = c->act, p.out16 = Brains(next), p.out16_stride = w.outs;
      if (training) pre = NewBrains(rows, w.outs), p.pre16 = Brains(pre), p.pre16_stride = w.outs;
    }
    Multiply(p);
    if (!last) Drop(*c, i, next);
    if (training) {
      c->weights.push_back(w);
      c->inputs.push_back(in);
      if (!last) c->before.push_back(pre);
    }
    in = next;
  }
  return out;
}

torch::Tensor Backward(const Kept& c, const torch::Tensor& d_out) {
  const int64_t rows = d_out.size(0);
  torch::Tensor d = Narrow(d_out);
  for (size_t i = c.layers.size(); i-- > 0;) {
    const Packed& w = c.weights[i];
    float *d_weight = GradientOf(c.layers[i].weight), *d_bias = GradientOf(c.layers[i].bias);
    if (d_weight || d_bias) {
      const torch::Tensor d_zipped = Zip(Brains(d), rows, w.outs, w.outs, d_bias);
      AddWeightGradient(d_zipped, Zip(Brains(c.inputs[i]), rows, w.ins, w.ins, nullptr), rows, w.outs, w.ins, d_weight);
    }
    if (i == 0 && !c.wants_dx) return {};
    Product p = RowsTimes(Brains(d), rows, w.outs, w.outs, w.backward, w.ins);
    if (i == 0) {
      torch::Tensor dx = NewFloats(rows, w.ins);
      p.out = Floats(dx), p.out_stride = w.ins;
      Multiply(p);
      return dx;
    }
    const torch::Tensor below = NewBrains(rows, w.ins);
    p.out16 = Brains(below), p.out16_stride = w.ins;
    p.act = c.act, p.slope16 = Brains(c.before[i - 1]), p.slope16_stride = w.ins;
    Multiply(p);
    Drop(c, i - 1, below);
    d = below;
  }
  return {};
}

class MlpStep : public torch::autograd::Function<MlpStep> {
 public:
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& x, at::TensorList parameters, Kept* c) {
    ctx->saved_data["parameters"] = static_cast<int64_t>(parameters.size());
    ctx->saved_data["kept"] = c10::IValue::make_capsule(c10::intrusive_ptr<torch::CustomClassHolder>::reclaim_copy(c));
    return Forward(c, x, true);
  }
  static variable_list backward(AutogradContext* ctx, variable_list d_out) {
    const torch::NoGradGuard no_gradient;
    const auto kept = ctx->saved_data["kept"].toCapsule();
    variable_list gradients(static_cast<size_t>(ctx->saved_data["parameters"].toInt()) + 2);
    gradients[0] = Backward(static_cast<const Kept&>(*kept), d_out[0].contiguous());
    return gradients;
  }
};

}  // namespace

torch::Tensor Mlp(const torch::Tensor& x, const std::vector<MlpLayer>& layers, kernel::Activation act, double dropout) {
  const torch::Tensor rows = x.contiguous();
  auto c = c10::make_intrusive<Kept>();
  c->layers = layers, c->act = act, c->wants_dx = rows.requires_grad();
  c->dropout = dropout, c->seed = dropout > 0 ? Draw() : 0;
  std::vector<torch::Tensor> parameters;
  bool learns = c->wants_dx;
  for (const MlpLayer& layer : layers) {
    for (const torch::Tensor& p : {layer.weight, layer.bias}) {
      if (!p.defined()) continue;
      parameters.push_back(p);
      learns = learns || p.requires_grad();
    }
  }
  if (!learns || !torch::GradMode::is_enabled()) return Forward(c.get(), rows, false);
  return MlpStep::apply(rows, at::TensorList(parameters), c.get());
}

}  // namespace atelier::model::fused
