#include "text/byte_map.h"

#include <algorithm>

#include "text/unicode.h"

namespace atelier::text {

ByteMap::ByteMap() {
  std::fill(std::begin(of_char), std::end(of_char), int16_t{-1});
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool shown = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    of_byte[byte] = shown ? static_cast<char32_t>(byte) : next++;
    of_char[of_byte[byte]] = static_cast<int16_t>(byte);
  }
}

const ByteMap& Bytes() {
  static const ByteMap map;
  return map;
}

std::string ShownBytes(std::string_view bytes) {
  std::string shown;
  for (const char byte : bytes) AppendUtf8(&shown, Bytes().of_byte[static_cast<unsigned char>(byte)]);
  return shown;
}

}  // namespace atelier::text
