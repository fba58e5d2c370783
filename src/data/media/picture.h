// Pictures as pixels: decoded from files that anybody may have made, encoded without loss.
//
// What a file says of itself is believed only within limits, which are checked before memory is taken. A file that is
// broken, cut short or beyond what is read here is an Error with one line; whatever the bytes, nothing else happens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::data {

// Rows from the top, pixels from the left, `channels` bytes a pixel: grey; grey, alpha; red, green, blue; or red,
// green, blue, alpha. 0..255 as stored in the file (gamma and colour profiles are not applied); alpha is not
// premultiplied.
struct Picture {
  uint32_t width = 0, height = 0;
  int channels = 3;             // 1, 2, 3 or 4
  std::vector<uint8_t> pixels;  // [height, width, channels]

  bool has_alpha() const { return channels == 2 || channels == 4; }
  size_t stride() const { return size_t{width} * static_cast<size_t>(channels); }  // bytes of a row
  friend bool operator==(const Picture&, const Picture&) = default;
};

inline constexpr uint64_t kMostPixels = 1u << 25;

// PNG (16 bits are rounded to 8, palettes become colours; of an animation the first picture), JPEG (grey and colour)
// and WebP (still), turned upright where EXIF says that the camera was not. Throws kUnsupported for other formats, CMYK
// and animated WebP, kResourceExhausted for more than `most_pixels`, kInvalidInput for what is broken.
Picture DecodePicture(std::string_view bytes, uint64_t most_pixels = kMostPixels);

// A PNG of 8 bits with the picture's channels. Decoding gives the same pixels again.
std::string EncodePng(const Picture& picture);

}  // namespace atelier::data
