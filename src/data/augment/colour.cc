#include "data/media/colour.h"

#include "data/augment/operation.h"

namespace atelier::data {
namespace {

// Brightness, contrast and saturation by a factor of [1 - x, 1 + x], the hue by [-x, x] of the circle, in this order;
// media/colour.h has the formulae. 0 leaves one out.
class Colour : public PictureOperation {
 public:
  explicit Colour(Table* table)
      : brightness_(table->DoubleOr("brightness", 0.2, 0, 1)),
        contrast_(table->DoubleOr("contrast", 0.2, 0, 1)),
        saturation_(table->DoubleOr("saturation", 0.2, 0, 1)),
        hue_(table->DoubleOr("hue", 0.02, 0, 0.5)) {}

  void Apply(Picture* picture, Rng* rng) const override {
    const auto around = [&](double middle, double reach) { return Range{middle - reach, middle + reach}.Draw(rng); };
    const double brightness = around(1, brightness_), contrast = around(1, contrast_);
    const double saturation = around(1, saturation_), hue = around(0, hue_);
    if (brightness_ > 0) ChangeBrightness(picture, brightness);
    if (contrast_ > 0) ChangeContrast(picture, contrast);
    if (saturation_ > 0) ChangeSaturation(picture, saturation);
    if (hue_ > 0) TurnHue(picture, hue);
  }

 private:
  double brightness_, contrast_, saturation_, hue_;
};

}  // namespace

std::unique_ptr<PictureOperation> MakeColour(Table* table) { return std::make_unique<Colour>(table); }

}  // namespace atelier::data
