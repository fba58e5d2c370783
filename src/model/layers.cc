#include "model/layers.h"

namespace atelier::model {

torch::Tensor RmsNormed(const torch::Tensor& x, const torch::Tensor& weight, double eps) {
  const torch::Tensor wide = x.to(torch::kFloat32);
  return (wide * torch::rsqrt(wide.square().mean(-1, true) + eps) * weight).to(x.scalar_type());
}

RmsNorm::RmsNorm(int64_t width, double eps) : eps_(eps) { weight = register_parameter("weight", torch::ones({width})); }

torch::Tensor RmsNorm::forward(const torch::Tensor& x) const { return RmsNormed(x, weight, eps_); }

Linear::Linear(int64_t in, int64_t out, bool with_bias, double deviation) {
  weight = register_parameter("weight", torch::randn({out, in}) * deviation);
  if (with_bias) bias = register_parameter("bias", torch::zeros({out}));
}

Head::Head(int64_t in, int64_t classes, double deviation, const torch::Tensor& tied) {
  weight = tied.defined() ? tied : register_parameter("weight", torch::randn({classes, in}) * deviation);
  bias = register_parameter("bias", torch::zeros({classes}));
}

torch::Tensor Rotate(const torch::Tensor& x, const torch::Tensor& cosines, const torch::Tensor& sines) {
  const int64_t time = x.size(-2);
  const torch::Tensor c = cosines.narrow(0, 0, time), s = sines.narrow(0, 0, time);
  const torch::Tensor pairs = x.to(torch::kFloat32).unflatten(-1, {-1, 2});
  const torch::Tensor even = pairs.select(-1, 0), odd = pairs.select(-1, 1);
  return torch::stack({even * c - odd * s, even * s + odd * c}, -1).flatten(-2).to(x.scalar_type());
}

void RotationTables(int64_t context, int64_t head, double base, torch::Tensor* cosines, torch::Tensor* sines) {
  const torch::Tensor i = torch::arange(0, head, 2, torch::kFloat64);
  const torch::Tensor angles =
      torch::arange(context, torch::kFloat64).unsqueeze(1) * torch::pow(base, -i / static_cast<double>(head));
  *cosines = angles.cos().to(torch::kFloat32);
  *sines = angles.sin().to(torch::kFloat32);
}

}  // namespace atelier::model
