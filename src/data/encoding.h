// Text files from outside come in more than one encoding; everything behind this line is UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace atelier::data {

// Which encoding a file was in; for messages and manifests.
enum class Encoding { kUtf8, kUtf8Bom, kUtf16Le, kUtf16Be, kGb18030 };
std::string_view Name(Encoding encoding);  // "UTF-8", "UTF-8 with BOM", "UTF-16LE", "UTF-16BE", "GB18030"

struct Decoded {
  std::string text;  // valid UTF-8 without a byte-order mark
  Encoding encoding = Encoding::kUtf8;
};

// By byte-order mark (UTF-8, UTF-16), else UTF-8 where it is valid, else GB18030 where every byte decodes to an
// assigned character and the text holds Han. Throws Error(kInvalidInput) "file:line: ..." that names the first byte
// which is not UTF-8. NUL bytes are refused too: the file is not text.
Decoded DecodeText(std::string bytes, const std::string& file);

// The offset of the first byte that is not part of valid UTF-8, or npos.
size_t FirstInvalidUtf8(std::string_view text);

}  // namespace atelier::data
