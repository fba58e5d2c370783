#include "data/media/picture_head.h"

namespace atelier::data {
namespace {

uint32_t Big(std::string_view bytes, size_t at, size_t size) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

uint32_t Little(std::string_view bytes, size_t at, size_t size) {
  uint32_t value = 0;
  for (size_t i = size; i > 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[at + i - 1]);
  return value;
}

// JPEG's size stands in its frame header, behind any number of segments.
std::optional<PictureInfo> JpegHead(std::string_view bytes) {
  for (size_t at = 2; at + 9 < bytes.size();) {
    if (bytes[at] != '\xFF') return std::nullopt;
    const auto marker = static_cast<uint8_t>(bytes[at + 1]);
    if (marker == 0xFF) {  // fill
      ++at;
      continue;
    }
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // without a length
      at += 2;
      continue;
    }
    if (marker == 0xD9 || marker == 0xDA) return std::nullopt;
    if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
      return PictureInfo{"jpeg", Big(bytes, at + 7, 2), Big(bytes, at + 5, 2)};
    }
    const uint32_t length = Big(bytes, at + 2, 2);
    if (length < 2) return std::nullopt;
    at += 2 + length;
  }
  return std::nullopt;
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
