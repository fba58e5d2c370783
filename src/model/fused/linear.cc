#include "model/fused/linear.h"

#include "model/fused/ops.h"
#include "model/fused/step.h"

namespace atelier::model::fused {
namespace {

struct KeptFusedLinear : torch::CustomClassHolder {
  torch::Tensor x, weight, bias;
  Packed packed;
};

torch::Tensor Forward(KeptFusedLinear* k, const torch::Tensor& x, bool training) {
  k->x = x;
  k->packed = Pack(k->weight, training);
  const int64_t rows = k->x.size(0), ins = k->packed.ins, outs = k->packed.outs;
  torch::Tensor y = NewBrains(rows, outs);
  kernel::Product p = RowsTimes(Brains(k->x), rows, ins, ins, k->packed.forward, outs);
  p.bias = Floats(k->bias), p.out16 = Brains(y), p.out16_stride = outs;
  Multiply(p);
  return y;
}

torch::Tensor Backward(const KeptFusedLinear& k, const torch::Tensor& dy) {
  const int64_t rows = dy.size(0), ins = k.packed.ins, outs = k.packed.outs;
  AddWeightGradient(Zip(Brains(dy), rows, outs, outs, GradientOf(k.bias)), Zip(Brains(k.x), rows, ins, ins, nullptr),
                    rows, outs, ins, GradientOf(k.weight));
  torch::Tensor dx = NewBrains(rows, ins);
  kernel::Product p = RowsTimes(Brains(dy), rows, outs, outs, k.packed.backward, ins);
  p.out16 = Brains(dx), p.out16_stride = ins;
  Multiply(p);
  return dx;
}

}  // namespace

torch::Tensor Linear(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
  const torch::Tensor rows = x.to(torch::kBFloat16).reshape({-1, x.size(-1)}).contiguous();
  auto k = c10::make_intrusive<KeptFusedLinear>();
  k->weight = weight, k->bias = bias;
  const torch::Tensor y = RunStep(rows, {weight, bias}, k);
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return y.view(shape);
}

}  // namespace atelier::model::fused
