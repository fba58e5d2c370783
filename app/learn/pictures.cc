// atelier-learn pictures --run DIR|--model FILE --out GRID.png [--count N] [--interpolate] [--seed N]
#include <torch/torch.h>

#include <cmath>

#include "app/learn/command.h"
#include "app/learn/events.h"
#include "app/learn/opened.h"
#include "app/learn/options.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "data/media/picture.h"
#include "model/picture_model.h"
#include "train/picture_grid.h"

namespace atelier::learn {
namespace {

constexpr int64_t kSteps = 10;  // of an interpolation, both ends included

}  // namespace

int Pictures(const Options& options, const std::atomic<bool>&) {
  const bool interpolate = options.contains("interpolate");
  const int64_t count = Whole(options, "count", interpolate ? 8 : 64, 1, 4096);
  const auto seed = static_cast<uint64_t>(Whole(options, "seed", 1, 0, int64_t{1} << 62));
  const model::OpenedModel opened = OpenAsked(options);
  auto* model = dynamic_cast<model::PictureModel*>(opened.model.get());
  if (model == nullptr) {
    throw Error(Code::kUnsupported, Cat("a ", opened.architecture->name, " makes no pictures"), "mlp_gan and vae do");
  }
  torch::Tensor latents = train::DrawLatents(interpolate ? 2 * count : count, model->latent(), seed);
  int64_t columns = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  if (interpolate) {  // a row for each way
    latents = train::Interpolate(latents.narrow(0, 0, count), latents.narrow(0, count, count), kSteps);
    columns = kSteps;
  }
  const std::string& out = options.at("out");
  WriteFileAtomic(out, data::EncodePng(train::MakeGrid(model->Generate(latents), columns)));
  Tell("done", {{"path", out}, {"pictures", latents.size(0)}});
  return 0;
}

}  // namespace atelier::learn
