#include <algorithm>
#include <cmath>

#include "data/augment/operation.h"

namespace atelier::data {
namespace {

// By [-decibels, decibels], drawn uniformly: samples times 10^(dB / 20). Less where the loudest would pass full scale.
class Gain : public SoundOperation {
 public:
  explicit Gain(Table* table) : decibels_(table->DoubleOr("decibels", 6, 0, 60)) {}

  void Apply(Sound* sound, Rng* rng) const override {
    const double drawn = std::pow(10, Range{-decibels_, decibels_}.Draw(rng) / 20);
    double peak = 0;
    for (const float sample : sound->samples) peak = std::max(peak, std::abs(double{sample}));
    const auto factor = static_cast<float>(drawn > 1 && drawn * peak > 1 ? std::max(1.0, 1 / peak) : drawn);
    for (float& sample : sound->samples) sample *= factor;
  }

 private:
  double decibels_;
};

}  // namespace

std::unique_ptr<SoundOperation> MakeGain(Table* table) { return std::make_unique<Gain>(table); }

}  // namespace atelier::data
