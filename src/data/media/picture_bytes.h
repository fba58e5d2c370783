// How picture files write numbers, and the segments of a JPEG file (ITU-T T.81, annex B).
#pragma once

#include <cstdint>
#include <string_view>

namespace atelier::data {

// `size` bytes at `at` as a number; 0 where they would lie behind the end.
inline uint32_t NumberAt(std::string_view bytes, size_t at, size_t size, bool big) {
  if (at > bytes.size() || bytes.size() - at < size) return 0;
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + (big ? i : size - 1 - i)]);
  return value;
}

// fn(marker, at, length) for every segment before the picture's data that has a length, which counts itself and is not
// checked; `at`: where the marker stands. fn returns true to stop.
template <typename Fn>
void EachJpegSegment(std::string_view bytes, const Fn& fn) {
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
    if (marker == 0xD9 || marker == 0xDA) return;
    const uint32_t length = NumberAt(bytes, at + 2, 2, true);
    if (fn(marker, at, length) || length < 2) return;
    at += 2 + length;
  }
}

}  // namespace atelier::data
