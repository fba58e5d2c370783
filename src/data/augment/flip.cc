#include "data/augment/operation.h"
#include "data/media/geometry.h"

namespace atelier::data {
namespace {

// Each with its own chance, so that both may come together.
class Flip : public PictureOperation {
 public:
  explicit Flip(Table* table)
      : horizontal_(table->DoubleOr("horizontal", 0.5, 0, 1)), vertical_(table->DoubleOr("vertical", 0, 0, 1)) {}

  void Apply(Picture* picture, Rng* rng) const override {
    const bool left_right = rng->Uniform() < horizontal_, top_bottom = rng->Uniform() < vertical_;
    if (left_right) FlipHorizontal(picture);
    if (top_bottom) FlipVertical(picture);
  }

 private:
  double horizontal_, vertical_;
};

}  // namespace

std::unique_ptr<PictureOperation> MakeFlip(Table* table) { return std::make_unique<Flip>(table); }

}  // namespace atelier::data
