// Models that make pictures out of random numbers.
#pragma once

#include "model/model.h"

namespace atelier::model {

class PictureModel : public Model {
 public:
  // z: [n, latent()], standard normal where pictures are drawn -> [n, height, width] in [0, 1]. Evaluation mode, no
  // gradient.
  virtual torch::Tensor Generate(const torch::Tensor& z) = 0;
  virtual int64_t latent() const = 0;
};

}  // namespace atelier::model
