// Changing the colours of a picture. Every function rounds to 8 bits and leaves alpha alone.
//
// Luma is ITU-R BT.601's, Y = 0.299 R + 0.587 G + 0.114 B, of the values as stored. With the factors of Pillow's
// ImageEnhance the results are Pillow's but for its truncation: they differ by at most 1.
#pragma once

#include "data/media/picture.h"

namespace atelier::data {

// v -> f v. 0 is black, 1 changes nothing.
void ChangeBrightness(Picture* picture, double factor);
// v -> m + f (v - m), m the picture's mean luma, rounded. Pixels count by their alpha, which Pillow does not do: what
// nobody sees is often black.
void ChangeContrast(Picture* picture, double factor);
// v -> Y + f (v - Y), Y the pixel's luma. 0 is grey. Grey pictures stay as they are.
void ChangeSaturation(Picture* picture, double factor);
// Turns the hue of HSV (hexcone; Smith, "Color gamut transform pairs", 1978) by `turns` of the circle: 1/3 makes green
// of red. Value and saturation stay. Grey pictures stay as they are.
void TurnHue(Picture* picture, double turns);

}  // namespace atelier::data
