#include <samplerate.h>

#include <cmath>

#include "base/error.h"
#include "base/str.h"
#include "data/augment/operation.h"

namespace atelier::data {
namespace {

// By a factor of [1 - most, 1 + most]: 1.1 is a tenth shorter and 1.65 semitones higher, as a tape that runs faster
// (Ko et al., "Audio augmentation for speech recognition", 2015). Resampled by windowed sincs of libsamplerate.
class Speed : public SoundOperation {
 public:
  explicit Speed(Table* table) : most_(table->DoubleOr("most", 0.1, 0, 0.5)) {}

  void Apply(Sound* sound, Rng* rng) const override {
    const double ratio = 1 / Range{1 - most_, 1 + most_}.Draw(rng);
    const auto channels = static_cast<size_t>(sound->channels);
    const auto frames = static_cast<size_t>(std::lround(static_cast<double>(sound->frames()) * ratio));
    std::vector<float> out((frames + 1) * channels);
    SRC_DATA work{};
    work.data_in = sound->samples.data();
    work.input_frames = static_cast<long>(sound->frames());
    work.data_out = out.data();
    work.output_frames = static_cast<long>(frames + 1);
    work.src_ratio = ratio;
    if (const int why = src_simple(&work, SRC_SINC_MEDIUM_QUALITY, sound->channels); why != 0) {
      throw Error(Code::kUnsupported, Cat("sound that cannot be resampled: ", src_strerror(why)));
    }
    out.resize(static_cast<size_t>(work.output_frames_gen) * channels);
    if (!out.empty()) sound->samples = std::move(out);
  }

 private:
  double most_;
};

}  // namespace

std::unique_ptr<SoundOperation> MakeSpeed(Table* table) { return std::make_unique<Speed>(table); }

}  // namespace atelier::data
