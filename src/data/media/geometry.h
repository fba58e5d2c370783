// Where pixels go: parts of pictures, mirrors, turns, other sizes.
#pragma once

#include <cstdint>

#include "data/media/picture.h"

namespace atelier::data {

// The part of `width` × `height` pixels whose upper left corner is (x, y). REQUIRES: it lies inside, and is not empty.
Picture Crop(const Picture& picture, uint32_t x, uint32_t y, uint32_t width, uint32_t height);

void FlipHorizontal(Picture* picture);  // left and right change places
void FlipVertical(Picture* picture);    // top and bottom

// As EXIF's `orientation` (1..8) wants it shown.
Picture Upright(Picture picture, int orientation);

// To width × height pixels (neither 0), linearly. With s = max(1, old size / new size), a new pixel whose centre falls
// at c of the old row is the mean of the old pixels i inside, weighted by max(0, 1 - |i + 1/2 - c| / s); rows first,
// then columns, rounded to 8 bits after each. Where there is alpha, colours count by it. These are Pillow's
// Image.resize with BILINEAR, value for value.
Picture Resize(const Picture& picture, uint32_t width, uint32_t height);

}  // namespace atelier::data
