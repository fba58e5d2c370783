// Pictures that a model made, for looking at.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "data/media/picture.h"

namespace atelier::train {

// [n, height, width] in [0, 1] as one grey picture: `columns` beside each other, two pixels of grey around each.
data::Picture MakeGrid(const torch::Tensor& pictures, int64_t columns);

// [n, latent] normal(0, 1), a function of the seed alone: torch's own random numbers stay as they are.
torch::Tensor DrawLatents(int64_t n, int64_t latent, uint64_t seed);

// [n, latent] each -> [n * steps, latent]: from each row of `from` to that of `to` in equal steps, both ends included,
// along the great circle (White 2016, "Sampling Generative Networks"): between normal draws, a straight line would pass
// where none lie. REQUIRES: steps >= 2.
torch::Tensor Interpolate(const torch::Tensor& from, const torch::Tensor& to, int64_t steps);

}  // namespace atelier::train
