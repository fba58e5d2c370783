#include "data/media/orientation.h"

#include <cstdint>

namespace atelier::data {
namespace {

// Numbers inside bytes; 0 where they would lie behind the end.
uint32_t Number(std::string_view bytes, size_t at, size_t size, bool big) {
  if (at > bytes.size() || bytes.size() - at < size) return 0;
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + (big ? i : size - 1 - i)]);
  return value;
}

// The block of a JPEG, a chunk of a PNG or of a WebP that holds EXIF's data, without its name; "" where there is none.
std::string_view JpegExif(std::string_view bytes) {
  constexpr std::string_view kName("Exif\0\0", 6);
  for (size_t at = 2; at + 4 <= bytes.size() && bytes[at] == '\xFF';) {
    const auto marker = static_cast<uint8_t>(bytes[at + 1]);
    if (marker == 0xFF) {  // fill
      ++at;
      continue;
    }
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // without a length
      at += 2;
      continue;
    }
    if (marker == 0xD9 || marker == 0xDA) break;
    const uint32_t length = Number(bytes, at + 2, 2, true);
    if (length < 2) break;
    const std::string_view body = bytes.substr(at + 4, length - 2);
    if (marker == 0xE1 && body.starts_with(kName)) return body.substr(kName.size());
    at += 2 + length;
  }
  return {};
}

std::string_view PngExif(std::string_view bytes) {
  for (size_t at = 8; at + 12 <= bytes.size();) {
    const uint32_t length = Number(bytes, at, 4, true);
    if (bytes.substr(at + 4, 4) == "eXIf") return bytes.substr(at + 8, length);
    at += 12 + size_t{length};
  }
  return {};
}

std::string_view WebpExif(std::string_view bytes) {
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const uint32_t length = Number(bytes, at + 4, 4, false);
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
  const size_t directory = Number(exif, 4, 4, big);
  const uint32_t entries = Number(exif, directory, 2, big);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t at = directory + 2 + size_t{12} * i;
    if (at + 12 > exif.size()) break;
    if (Number(exif, at, 2, big) != 274) continue;
    const uint32_t value = Number(exif, at + 8, 2, big);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace atelier::data
