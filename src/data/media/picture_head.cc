#include "data/media/picture_head.h"

#include "data/media/picture_bytes.h"

namespace atelier::data {
namespace {

uint32_t Big(std::string_view bytes, size_t at, size_t size) { return NumberAt(bytes, at, size, true); }
uint32_t Little(std::string_view bytes, size_t at, size_t size) { return NumberAt(bytes, at, size, false); }

// JPEG's size stands in its frame header, behind any number of segments.
std::optional<PictureInfo> JpegHead(std::string_view bytes) {
  std::optional<PictureInfo> info;
  EachJpegSegment(bytes, [&](uint8_t marker, size_t at, uint32_t) {
    if (marker < 0xC0 || marker > 0xCF || marker == 0xC4 || marker == 0xC8 || marker == 0xCC) return false;
    if (at + 9 < bytes.size()) info = PictureInfo{"jpeg", Big(bytes, at + 7, 2), Big(bytes, at + 5, 2)};
    return true;
  });
  return info;
}

std::optional<PictureInfo> WebpHead(std::string_view bytes) {
  const std::string_view kind = bytes.substr(12, 4);
  if (kind == "VP8X") return PictureInfo{"webp", 1 + Little(bytes, 24, 3), 1 + Little(bytes, 27, 3)};
  if (kind == "VP8L" && bytes[20] == '\x2F') {
    const uint32_t bits = Little(bytes, 21, 4);
    return PictureInfo{"webp", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)};
  }
  if (kind == "VP8 " && bytes.substr(23, 3) == "\x9D\x01\x2A") {
    return PictureInfo{"webp", Little(bytes, 26, 2) & 0x3FFF, Little(bytes, 28, 2) & 0x3FFF};
  }
  return std::nullopt;
}

}  // namespace

std::optional<PictureInfo> ReadPictureHead(std::string_view bytes) {
  std::optional<PictureInfo> info;
  if (bytes.size() >= 24 && bytes.starts_with("\x89PNG\r\n\x1A\n") && bytes.substr(12, 4) == "IHDR") {
    info = PictureInfo{"png", Big(bytes, 16, 4), Big(bytes, 20, 4)};
  } else if (bytes.size() >= 4 && bytes.starts_with("\xFF\xD8\xFF")) {
    info = JpegHead(bytes);
  } else if (bytes.size() >= 10 && (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a"))) {
    info = PictureInfo{"gif", Little(bytes, 6, 2), Little(bytes, 8, 2)};
  } else if (bytes.size() >= 30 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP") {
    info = WebpHead(bytes);
  } else if (bytes.size() >= 26 && bytes.starts_with("BM")) {
    const auto height = static_cast<int32_t>(Little(bytes, 22, 4));  // negative: the rows run downwards
    info = PictureInfo{"bmp", Little(bytes, 18, 4),
                       height < 0 ? 0u - static_cast<uint32_t>(height) : static_cast<uint32_t>(height)};
  }
  if (info && (info->width == 0 || info->height == 0 || info->width > 1'000'000 || info->height > 1'000'000)) {
    return std::nullopt;
  }
  return info;
}

}  // namespace atelier::data
