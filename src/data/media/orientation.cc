#include "data/media/orientation.h"

#include <cstdint>

#include "data/media/picture_bytes.h"

namespace atelier::data {
namespace {

// The block of a JPEG, a chunk of a PNG or of a WebP that holds EXIF's data, without its name; "" where there is none.
std::string_view JpegExif(std::string_view bytes) {
  constexpr std::string_view kName("Exif\0\0", 6);
  std::string_view exif;
  EachJpegSegment(bytes, [&](uint8_t marker, size_t at, uint32_t length) {
    if (marker != 0xE1 || length < 2) return false;
    const std::string_view body = bytes.substr(at + 4, length - 2);
    if (!body.starts_with(kName)) return false;
    exif = body.substr(kName.size());
    return true;
  });
  return exif;
}

std::string_view PngExif(std::string_view bytes) {
  for (size_t at = 8; at + 12 <= bytes.size();) {
    const uint32_t length = NumberAt(bytes, at, 4, true);
    if (bytes.substr(at + 4, 4) == "eXIf") return bytes.substr(at + 8, length);
    at += 12 + size_t{length};
  }
  return {};
}

std::string_view WebpExif(std::string_view bytes) {
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const uint32_t length = NumberAt(bytes, at + 4, 4, false);
    if (bytes.substr(at, 4) == "EXIF") {
      std::string_view body = bytes.substr(at + 8, length);
      if (body.starts_with("Exif")) body.remove_prefix(6 < body.size() ? 6 : body.size());  // some writers keep it
      return body;
    }
    at += 8 + size_t{length} + length % 2;
  }
  return {};
}

}  // namespace

int ReadOrientation(std::string_view bytes) {
  std::string_view exif;
  if (bytes.starts_with("\xFF\xD8")) exif = JpegExif(bytes);
  if (bytes.starts_with("\x89PNG")) exif = PngExif(bytes);
  if (bytes.starts_with("RIFF")) exif = WebpExif(bytes);
  const bool big = exif.starts_with("MM");
  if (!big && !exif.starts_with("II")) return 1;
  const size_t directory = NumberAt(exif, 4, 4, big);
  const uint32_t entries = NumberAt(exif, directory, 2, big);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t at = directory + 2 + size_t{12} * i;
    if (at + 12 > exif.size()) break;
    if (NumberAt(exif, at, 2, big) != 274) continue;
    const uint32_t value = NumberAt(exif, at + 8, 2, big);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace atelier::data
