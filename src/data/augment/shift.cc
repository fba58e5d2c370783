#include <algorithm>
#include <cmath>

#include "data/augment/operation.h"

namespace atelier::data {
namespace {

// By up to `seconds`, either way. What is free is `silence`, or what was pushed out at the other end (`wrap`). The
// length stays.
class Shift : public SoundOperation {
 public:
  explicit Shift(Table* table) : seconds_(table->DoubleOr("seconds", 0.1, 0, 60)) {
    const std::string fill = table->StringOr("fill", "silence");
    wrap_ = fill == "wrap";
    if (!wrap_ && fill != "silence") table->Refuse("fill", "is silence or wrap");
  }

  void Apply(Sound* sound, Rng* rng) const override {
    const auto frames = static_cast<int64_t>(sound->frames());
    const Range range{-seconds_, seconds_};
    int64_t by = std::llround(range.Draw(rng) * sound->rate);
    by = wrap_ && frames > 0 ? by % frames : std::clamp(by, -frames, frames);
    std::vector<float>& samples = sound->samples;
    const ptrdiff_t step = static_cast<ptrdiff_t>(std::abs(by)) * sound->channels;
    if (by > 0) {
      std::rotate(samples.begin(), samples.end() - step, samples.end());
      if (!wrap_) std::fill(samples.begin(), samples.begin() + step, 0.0f);
    } else {
      std::rotate(samples.begin(), samples.begin() + step, samples.end());
      if (!wrap_) std::fill(samples.end() - step, samples.end(), 0.0f);
    }
  }

 private:
  double seconds_;
  bool wrap_ = false;
};

}  // namespace

std::unique_ptr<SoundOperation> MakeShift(Table* table) { return std::make_unique<Shift>(table); }

}  // namespace atelier::data
