#include "train/picture_grid.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>

namespace atelier::train {
namespace {

constexpr int64_t kGap = 2;
constexpr uint8_t kGapGrey = 96;

}  // namespace

data::Picture MakeGrid(const torch::Tensor& pictures, int64_t columns) {
  const torch::Tensor bytes = (pictures.cpu().clamp(0, 1) * 255).round().to(torch::kUInt8).contiguous();
  const int64_t n = bytes.size(0), height = bytes.size(1), width = bytes.size(2);
  columns = std::max<int64_t>(1, std::min(columns, n));
  const int64_t rows = (n + columns - 1) / columns;
  data::Picture grid;
  grid.channels = 1;
  grid.width = static_cast<uint32_t>(columns * (width + kGap) + kGap);
  grid.height = static_cast<uint32_t>(rows * (height + kGap) + kGap);
  grid.pixels.assign(grid.stride() * grid.height, kGapGrey);
  const uint8_t* from = bytes.const_data_ptr<uint8_t>();
  for (int64_t i = 0; i < n; ++i) {
    const int64_t top = i / columns * (height + kGap) + kGap, left = i % columns * (width + kGap) + kGap;
    for (int64_t y = 0; y < height; ++y, from += width) {
      std::copy(from, from + width, grid.pixels.begin() + (top + y) * grid.width + left);
    }
  }
  return grid;
}

torch::Tensor DrawLatents(int64_t n, int64_t latent, uint64_t seed) {
  return torch::randn({n, latent}, at::make_generator<at::CPUGeneratorImpl>(seed));
}

torch::Tensor Interpolate(const torch::Tensor& from, const torch::Tensor& to, int64_t steps) {
  const torch::Tensor a = from.unsqueeze(1), b = to.unsqueeze(1);  // [n, 1, latent]
  const torch::Tensor t = torch::linspace(0, 1, steps).view({1, steps, 1});
  const torch::Tensor cosine = (a * b).sum(2, true) / (a.norm(2, 2, true) * b.norm(2, 2, true)).clamp_min(1e-12);
  const torch::Tensor angle = torch::acos(cosine.clamp(-1, 1)), sine = torch::sin(angle);
  const torch::Tensor arc = (torch::sin((1 - t) * angle) * a + torch::sin(t * angle) * b) / sine.clamp_min(1e-6);
  return torch::where(sine < 1e-6, (1 - t) * a + t * b, arc).flatten(0, 1);
}

}  // namespace atelier::train
