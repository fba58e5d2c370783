#include "data/media/geometry.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace atelier::data {
namespace {

// The old pixels that make one new one, and their weights in 1/2^22, which sum to about 2^22.
constexpr int kBits = 22;
struct Weights {
  size_t first = 0;
  std::vector<int32_t> of;
};

std::vector<Weights> LinearWeights(uint32_t from, uint32_t to) {
  const double scale = static_cast<double>(from) / to, reach = std::max(1.0, scale);
  std::vector<Weights> all(to);
  std::vector<double> weights;
  for (uint32_t i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const auto first = static_cast<uint32_t>(std::max(0.0, centre - reach + 0.5));
    const uint32_t end = std::min(from, static_cast<uint32_t>(centre + reach + 0.5));
    weights.clear();
    double sum = 0;
    for (uint32_t at = first; at < end; ++at) {
      weights.push_back(std::max(0.0, 1 - std::abs((at + 0.5 - centre) / reach)));
      sum += weights.back();
    }
    all[i].first = first;
    for (const double weight : weights) all[i].of.push_back(static_cast<int32_t>(weight / sum * (1 << kBits) + 0.5));
  }
  return all;
}

uint8_t Rounded(int64_t sum) {
  return static_cast<uint8_t>(std::clamp<int64_t>((sum + (1 << (kBits - 1))) >> kBits, 0, 255));
}

// a * b / 255, rounded.
uint8_t Times(uint32_t a, uint32_t b) {
  const uint32_t product = a * b + 128;
  return static_cast<uint8_t>(((product >> 8) + product) >> 8);
}

void Premultiply(Picture* picture) {
  const auto step = static_cast<size_t>(picture->channels);
  for (size_t at = 0; at < picture->pixels.size(); at += step) {
    uint8_t* pixel = &picture->pixels[at];
    for (size_t c = 0; c + 1 < step; ++c) pixel[c] = Times(pixel[c], pixel[step - 1]);
  }
}

void Unpremultiply(Picture* picture) {
  const auto step = static_cast<size_t>(picture->channels);
  for (size_t at = 0; at < picture->pixels.size(); at += step) {
    uint8_t* pixel = &picture->pixels[at];
    const uint32_t alpha = pixel[step - 1];
    if (alpha == 0 || alpha == 255) continue;
    for (size_t c = 0; c + 1 < step; ++c) pixel[c] = static_cast<uint8_t>(std::min(255u, 255u * pixel[c] / alpha));
  }
}

Picture ResizeRows(const Picture& from, uint32_t width) {
  const std::vector<Weights> weights = LinearWeights(from.width, width);
  const auto step = static_cast<size_t>(from.channels);
  Picture to{width, from.height, from.channels, {}};
  to.pixels.resize(to.stride() * to.height);
  for (uint32_t y = 0; y < from.height; ++y) {
    const uint8_t* row = &from.pixels[y * from.stride()];
    uint8_t* out = &to.pixels[y * to.stride()];
    for (const Weights& one : weights) {
      for (size_t c = 0; c < step; ++c) {
        int64_t sum = 0;
        const uint8_t* in = row + one.first * step + c;
        for (size_t i = 0; i < one.of.size(); ++i) sum += int64_t{one.of[i]} * in[i * step];
        *out++ = Rounded(sum);
      }
    }
  }
  return to;
}

Picture ResizeColumns(const Picture& from, uint32_t height) {
  const std::vector<Weights> weights = LinearWeights(from.height, height);
  Picture to{from.width, height, from.channels, {}};
  to.pixels.resize(to.stride() * height);
  for (uint32_t y = 0; y < height; ++y) {
    const Weights& one = weights[y];
    uint8_t* out = &to.pixels[y * to.stride()];
    for (size_t x = 0; x < to.stride(); ++x) {
      int64_t sum = 0;
      const uint8_t* in = &from.pixels[one.first * from.stride() + x];
      for (size_t i = 0; i < one.of.size(); ++i) sum += int64_t{one.of[i]} * in[i * from.stride()];
      out[x] = Rounded(sum);
    }
  }
  return to;
}

Picture Transposed(const Picture& from) {
  Picture to{from.height, from.width, from.channels, {}};
  to.pixels.resize(from.pixels.size());
  const auto step = static_cast<size_t>(from.channels);
  for (uint32_t y = 0; y < from.height; ++y) {
    for (uint32_t x = 0; x < from.width; ++x) {
      std::memcpy(&to.pixels[x * to.stride() + y * step], &from.pixels[y * from.stride() + x * step], step);
    }
  }
  return to;
}

}  // namespace

Picture Crop(const Picture& picture, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
  Picture part{width, height, picture.channels, {}};
  part.pixels.reserve(part.stride() * height);
  for (uint32_t row = 0; row < height; ++row) {
    const uint8_t* begin =
        picture.pixels.data() + (y + row) * picture.stride() + x * static_cast<size_t>(picture.channels);
    part.pixels.insert(part.pixels.end(), begin, begin + part.stride());
  }
  return part;
}

void FlipHorizontal(Picture* picture) {
  const auto step = static_cast<size_t>(picture->channels);
  for (uint32_t y = 0; y < picture->height; ++y) {
    uint8_t* row = &picture->pixels[y * picture->stride()];
    for (uint32_t x = 0; x < picture->width / 2; ++x) {
      std::swap_ranges(row + x * step, row + (x + 1) * step, row + (picture->width - 1 - x) * step);
    }
  }
}

void FlipVertical(Picture* picture) {
  const size_t stride = picture->stride();
  uint8_t* pixels = picture->pixels.data();
  for (uint32_t y = 0; y < picture->height / 2; ++y) {
    std::swap_ranges(pixels + y * stride, pixels + (y + 1) * stride, pixels + (picture->height - 1 - y) * stride);
  }
}

Picture Upright(Picture picture, int orientation) {
  if (orientation >= 5) picture = Transposed(picture);
  const bool left_right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool top_bottom = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  if (left_right) FlipHorizontal(&picture);
  if (top_bottom) FlipVertical(&picture);
  return picture;
}

Picture Resize(const Picture& picture, uint32_t width, uint32_t height) {
  if (width == picture.width && height == picture.height) return picture;
  Picture out = picture;
  if (out.has_alpha()) Premultiply(&out);
  if (width != out.width) out = ResizeRows(out, width);
  if (height != out.height) out = ResizeColumns(out, height);
  if (out.has_alpha()) Unpremultiply(&out);
  return out;
}

}  // namespace atelier::data
