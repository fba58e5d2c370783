// What the first bytes of a picture file say, without decoding it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace atelier::data {

struct PictureInfo {
  std::string_view format;         // "png", "jpeg", "gif", "webp", "bmp"
  uint32_t width = 0, height = 0;  // pixels, as stored (before EXIF's rotation)
};
// Nothing for other bytes or a damaged head.
std::optional<PictureInfo> ReadPictureHead(std::string_view bytes);

}  // namespace atelier::data
