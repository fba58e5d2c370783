#include "data/media/colour.h"

#include <algorithm>
#include <cmath>

namespace atelier::data {
namespace {

uint8_t Rounded(double value) { return static_cast<uint8_t>(std::clamp(value, 0.0, 255.0) + 0.5); }

size_t Colours(const Picture& picture) { return picture.channels >= 3 ? 3 : 1; }

double Luma(const uint8_t* pixel, size_t colours) {
  return colours == 1 ? pixel[0] : 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

// fn(pixel) for each.
template <typename Fn>
void ForEachPixel(Picture* picture, const Fn& fn) {
  const auto step = static_cast<size_t>(picture->channels);
  for (size_t at = 0; at < picture->pixels.size(); at += step) fn(&picture->pixels[at]);
}

// Each value of `colours` channels through a table.
void Map(Picture* picture, const std::vector<uint8_t>& table) {
  const size_t colours = Colours(*picture);
  ForEachPixel(picture, [&](uint8_t* pixel) {
    for (size_t c = 0; c < colours; ++c) pixel[c] = table[pixel[c]];
  });
}

}  // namespace

void ChangeBrightness(Picture* picture, double factor) {
  std::vector<uint8_t> table(256);
  for (size_t v = 0; v < 256; ++v) table[v] = Rounded(factor * static_cast<double>(v));
  Map(picture, table);
}

void ChangeContrast(Picture* picture, double factor) {
  const size_t colours = Colours(*picture);
  double sum = 0, weight = 0;
  ForEachPixel(picture, [&](const uint8_t* pixel) {
    const double alpha = picture->has_alpha() ? pixel[colours] : 255;
    sum += alpha * std::floor(Luma(pixel, colours) + 0.5);
    weight += alpha;
  });
  if (weight == 0) return;
  const double mean = std::floor(sum / weight + 0.5);
  std::vector<uint8_t> table(256);
  for (size_t v = 0; v < 256; ++v) table[v] = Rounded(mean + factor * (static_cast<double>(v) - mean));
  Map(picture, table);
}

void ChangeSaturation(Picture* picture, double factor) {
  if (Colours(*picture) == 1) return;
  ForEachPixel(picture, [&](uint8_t* pixel) {
    const double luma = std::floor(Luma(pixel, 3) + 0.5);
    for (size_t c = 0; c < 3; ++c) pixel[c] = Rounded(luma + factor * (pixel[c] - luma));
  });
}

void TurnHue(Picture* picture, double turns) {
  if (Colours(*picture) == 1) return;
  ForEachPixel(picture, [&](uint8_t* pixel) {
    const double r = pixel[0], g = pixel[1], b = pixel[2];
    const double most = std::max({r, g, b}), least = std::min({r, g, b}), chroma = most - least;
    if (chroma == 0) return;
    // The hue in sixths of the circle, red at 0.
    double hue = most == r ? (g - b) / chroma : most == g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma;
    hue += 6 * turns;
    hue -= 6 * std::floor(hue / 6);
    // How far channel n lies below the brightest: the hexagon's sides, red, green and blue a third of it apart.
    const auto channel = [&](double n) {
      const double k = std::fmod(n + hue, 6);
      return Rounded(most - chroma * std::clamp(std::min(k, 4 - k), 0.0, 1.0));
    };
    pixel[0] = channel(5);
    pixel[1] = channel(3);
    pixel[2] = channel(1);
  });
}

}  // namespace atelier::data
