#include "model/fused/norm.h"

#include "model/fused/ops.h"
#include "model/fused/step.h"

namespace atelier::model::fused {
namespace {

kernel::RowNorm RowsOf(const NormWeights& norm, const Normed& normed) {
  kernel::RowNorm n;
  n.rows = normed.x.size(0), n.cols = normed.x.size(1), n.rms = norm.rms, n.epsilon = static_cast<float>(norm.eps);
  n.weight = Floats(norm.weight), n.bias = Floats(norm.bias);
  n.x = Floats(normed.x), n.mean = Floats(normed.mean), n.inverse = Floats(normed.inverse);
  return n;
}

struct KeptNorm : torch::CustomClassHolder {
  NormWeights norm;
  Normed normed;
  bool narrow = false;
};

torch::Tensor Forward(KeptNorm* kept, const torch::Tensor& x, bool) {
  torch::Tensor y;
  kept->normed = NormForward(kept->norm, x, kept->narrow ? nullptr : &y, kept->narrow ? &y : nullptr);
  return y;
}

torch::Tensor Backward(const KeptNorm& kept, const torch::Tensor& d) {
  return NormBackward(kept.norm, kept.normed, d, {}, nullptr);
}

}  // namespace

Normed NormForward(const NormWeights& norm, const torch::Tensor& x, torch::Tensor* y, torch::Tensor* y16) {
  const int64_t rows = x.size(0), width = x.size(1);
  Normed normed{x, NewFloats(rows, 1), NewFloats(rows, 1)};
  kernel::RowNorm n = RowsOf(norm, normed);
  if (y) *y = NewFloats(rows, width), n.y = Floats(*y);
  if (y16) *y16 = NewBrains(rows, width), n.y16 = Brains(*y16);
  InParallel(kernel::NormBlocks(rows), [&](int64_t begin, int64_t end) {
    Kernels().norm_forward(&n, begin * kernel::kNormBlock, std::min(rows, end * kernel::kNormBlock));
  });
  return normed;
}

torch::Tensor NormBackward(const NormWeights& norm, const Normed& normed, const torch::Tensor& dy,
                           const torch::Tensor& d_sum, torch::Tensor* dx16) {
  kernel::RowNorm n = RowsOf(norm, normed);
  const int64_t blocks = kernel::NormBlocks(n.rows);
  const torch::Tensor d_weight = NewFloats(blocks, n.cols), d_bias = NewFloats(blocks, n.cols);
  torch::Tensor dx = NewFloats(n.rows, n.cols);
  if (dy.scalar_type() == torch::kBFloat16) {
    n.dy16 = Brains(dy);
  } else {
    n.dy = Floats(dy);
  }
  n.d_sum = Floats(d_sum);
  n.dx = Floats(dx), n.d_weight = Floats(d_weight), n.d_bias = Floats(d_bias);
  if (dx16) *dx16 = NewBrains(n.rows, n.cols), n.dx16 = Brains(*dx16);
  InParallel(blocks, [&](int64_t begin, int64_t end) { Kernels().norm_backward(&n, begin, end); });
  SumRows(d_weight, GradientOf(norm.weight));
  SumRows(d_bias, GradientOf(norm.bias));
  return dx;
}

namespace {

torch::Tensor RunNorm(const torch::Tensor& x, const NormWeights& norm, bool narrow) {
  auto kept = c10::make_intrusive<KeptNorm>();
  kept->norm = norm, kept->narrow = narrow;
  return RunStep(x.contiguous(), {norm.weight, norm.bias}, kept);
}

}  // namespace

torch::Tensor Norm(const torch::Tensor& x, const NormWeights& norm) { return RunNorm(x, norm, false); }
torch::Tensor NarrowNorm(const torch::Tensor& x, const NormWeights& norm) { return RunNorm(x, norm, true); }

}  // namespace atelier::model::fused
