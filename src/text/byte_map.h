// GPT-2's printable stand-ins: byte-level BPE writes its vocabulary in characters, one per byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atelier::text {

// The stand-in of a byte: itself where it is printable in Latin-1, else U+0100 and up in order.
struct ByteMap {
  char32_t of_byte[256];
  int16_t of_char[0x180];  // -1: stands for no byte
  ByteMap();
};

const ByteMap& Bytes();
// Bytes as the vocabulary writes them.
std::string ShownBytes(std::string_view bytes);

}  // namespace atelier::text
