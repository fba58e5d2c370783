#include <algorithm>
#include <cmath>

#include "data/augment/operation.h"
#include "data/media/geometry.h"

namespace atelier::data {
namespace {

// A part of `area` (share of the pixels) and `aspect` (its ratio of width to height, by the picture's), anywhere:
// Szegedy et al., "Going deeper with convolutions", 2015, whose aspect is that of the crop itself. Where such a part
// does not fit, its longer side is cut.
class CropPart : public PictureOperation {
 public:
  explicit CropPart(Table* table)
      : area_(RangeOr(table, "area", {0.6, 1.0}, 0.01, 1)),
        aspect_(RangeOr(table, "aspect", {1.0, 1.0}, 0.1, 10)),
        resize_(table->BoolOr("resize", true)) {}

  void Apply(Picture* picture, Rng* rng) const override {
    const double area = area_.Draw(rng);
    const Range logs{std::log(aspect_.least), std::log(aspect_.most)};
    const double aspect = std::exp(logs.Draw(rng));
    const auto side = [](uint32_t whole, double share) {
      return std::clamp<uint32_t>(static_cast<uint32_t>(std::lround(whole * share)), 1, whole);
    };
    const uint32_t width = side(picture->width, std::sqrt(area * aspect));
    const uint32_t height = side(picture->height, std::sqrt(area / aspect));
    const auto x = static_cast<uint32_t>(rng->Below(picture->width - width + 1));
    const auto y = static_cast<uint32_t>(rng->Below(picture->height - height + 1));
    const uint32_t old_width = picture->width, old_height = picture->height;
    *picture = Crop(*picture, x, y, width, height);
    if (resize_) *picture = Resize(*picture, old_width, old_height);
  }

 private:
  Range area_, aspect_;
  bool resize_;
};

}  // namespace

std::unique_ptr<PictureOperation> MakeCrop(Table* table) { return std::make_unique<CropPart>(table); }

}  // namespace atelier::data
