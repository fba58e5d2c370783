// Documents of all three kinds: whatever the bytes, their blocks and chunks stay inside the text and cover it.
#include <cstdint>

#include "base/error.h"
#include "retrieve/chunk.h"
#include "text/unicode.h"

using atelier::Error;
using namespace atelier::retrieve;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > (1u << 16)) return 0;
  const TextKind kinds[] = {TextKind::kPlain, TextKind::kMarkdown, TextKind::kHtml};
  Document document;
  document.id = "fuzz";
  try {
    ReadText({reinterpret_cast<const char*>(data) + 1, size - 1}, kinds[data[0] % 3], &document);
  } catch (const Error&) {
    return 0;
  }
  if (!atelier::text::IsValidUtf8(document.text)) __builtin_trap();
  size_t before = 0;
  for (const Block& block : document.blocks) {
    if (block.begin < before || block.begin >= block.end || block.end > document.text.size()) __builtin_trap();
    before = block.end;
  }
  for (const Chunk& chunk : ChunkDocument(document, {40, 64, 12})) {
    if (chunk.begin >= chunk.end || chunk.end > document.text.size()) __builtin_trap();
    const std::string_view text = std::string_view(document.text).substr(chunk.begin, chunk.end - chunk.begin);
    if (!atelier::text::IsValidUtf8(text)) __builtin_trap();
    if (chunk.end_char - chunk.begin_char != atelier::text::CountChars(text)) __builtin_trap();
  }
  return 0;
}
