#include "model/fused/mlp.h"

#include "model/fused/ops.h"
#include "model/fused/step.h"

namespace atelier::model::fused {
namespace {

using kernel::Product;

struct Kept : torch::CustomClassHolder {
  std::vector<MlpLayer> layers;
  kernel::Activation act = kernel::Activation::kNone;
  double dropout = 0;
  uint64_t seed = 0;
  bool wants_dx = false;
  std::vector<Packed> weights;
  std::vector<torch::Tensor> inputs;  // bf16 [rows, ins] of each layer
  std::vector<torch::Tensor> before;  // bf16 [rows, outs] of each but the last, before its activation

  // What falls of what a layer gives, and of its gradient.
  kernel::Dropout drop(size_t layer) const { return {seed, layer, static_cast<float>(dropout)}; }
};

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
    if (!last) DropRows(c->drop(i), next);
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
    DropRows(c.drop(i - 1), below);
    d = below;
  }
  return {};
}

}  // namespace

torch::Tensor Mlp(const torch::Tensor& x, const std::vector<MlpLayer>& layers, kernel::Activation act, double dropout) {
  const torch::Tensor rows = x.contiguous();
  auto c = c10::make_intrusive<Kept>();
  c->layers = layers, c->act = act, c->wants_dx = rows.requires_grad();
  c->dropout = dropout, c->seed = dropout > 0 ? Draw() : 0;
  std::vector<torch::Tensor> parameters;
  for (const MlpLayer& layer : layers) parameters.insert(parameters.end(), {layer.weight, layer.bias});
  return RunStep(rows, std::move(parameters), c);
}

}  // namespace atelier::model::fused
