#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/augment/operation.h"

namespace atelier::data {
namespace {

// Gaussian white noise so far below the sound: snr = 10 log10(P / N) decibels, drawn uniformly from [least, most], with
// the sound's power P = mean of x^2 over all samples, and the noise's N. Where the sum would pass full scale, all of it
// is turned down, which keeps the ratio. Silence stays silent.
class WhiteNoise : public SoundOperation {
 public:
  explicit WhiteNoise(Table* table) : snr_(RangeOr(table, "snr", {10, 30}, -20, 100)) {}

  void Apply(Sound* sound, Rng* rng) const override {
    const double snr = snr_.Draw(rng);
    std::vector<float>& samples = sound->samples;
    double power = 0, peak = 0;
    for (const float sample : samples) power += double{sample} * sample;
    if (samples.empty() || power == 0) return;
    power /= static_cast<double>(samples.size());
    const double deviation = std::sqrt(power * std::pow(10, -snr / 10));
    for (size_t i = 0; i < samples.size(); i += 2) {
      // Box and Muller (1958): two uniform numbers make two normal ones.
      const double radius = std::sqrt(-2 * std::log(1 - rng->Uniform()));
      const double angle = 2 * std::numbers::pi * rng->Uniform();
      samples[i] += static_cast<float>(deviation * radius * std::cos(angle));
      peak = std::max(peak, std::abs(double{samples[i]}));
      if (i + 1 == samples.size()) break;
      samples[i + 1] += static_cast<float>(deviation * radius * std::sin(angle));
      peak = std::max(peak, std::abs(double{samples[i + 1]}));
    }
    if (peak <= 1) return;
    const auto down = static_cast<float>(1 / peak);
    for (float& sample : samples) sample *= down;
  }

 private:
  Range snr_;
};

}  // namespace

std::unique_ptr<SoundOperation> MakeWhiteNoise(Table* table) { return std::make_unique<WhiteNoise>(table); }

}  // namespace atelier::data
