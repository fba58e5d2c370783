// Which way up a picture is, as its EXIF data say.
#pragma once

#include <string_view>

namespace atelier::data {

// EXIF's orientation, 1..8 (Exif 2.32, tag 274): 1 upright; 2 mirrored; 3 half a turn; 4 upside down mirrored; 5..8
// rows and columns exchanged. 1 where the file (PNG, JPEG or WebP) says nothing that can be read.
int ReadOrientation(std::string_view bytes);

}  // namespace atelier::data
