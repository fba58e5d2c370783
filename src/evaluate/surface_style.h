// Style as it shows on a text's surface: lengths, punctuation, kinds of characters, small words. Says nothing of what a
// text is about, which an encoder mostly does.
//
// A text's distance is Burrows's Delta (2002) to the house: the mean over features of |z|, z by the house's own mean
// and deviation. What differs from it: features are not the most frequent words, of which one line has too few, but
// those of Features(); a deviation is at least what one more comma would make; |z| counts at most 5.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

struct SurfaceFeature {
  std::string_view name;  // "commas", "small words: the"
  std::string_view of;    // "per 100 units", "log of characters" ...
};
// In the order of MeasureSurface's values. Units are Han characters and words (units.h).
std::span<const SurfaceFeature> Features();

// Any bytes; all 0 for an empty text.
std::vector<double> MeasureSurface(std::string_view text);

class SurfaceHouse {
 public:
  // [texts][features]. REQUIRES: at least two.
  explicit SurfaceHouse(std::vector<std::vector<double>> texts);
  double Delta(const std::vector<double>& text) const;
  std::vector<double> DeltasWithoutSelf() const;
  double mean(size_t feature) const { return mean_[feature]; }
  // How far the mean of a feature lies from the house's, in the house's deviations.
  double Z(size_t feature, double mean) const;

 private:
  std::vector<std::vector<double>> texts_;
  std::vector<double> mean_, square_;  // of each feature: mean, and sum of squares around it
};

}  // namespace atelier::evaluate
