// Text files from outside come in more than one encoding; everything behind this line is UTF-8.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace atelier::data {

// Which encoding a file was in; for messages and manifests.
enum class Encoding { kUtf8, kUtf8Bom, kUtf16Le, kUtf16Be, kGb18030, kBig5 };
std::string_view Name(Encoding encoding);  // "UTF-8", "UTF-8 with BOM", "UTF-16LE", "UTF-16BE", "GB18030", "Big5"
// By its name or a usual other one ("gbk", "utf-16"), whatever the case; nothing for one that we do not read.
std::optional<Encoding> EncodingByName(std::string_view name);

struct Decoded {
  std::string text;  // valid UTF-8 without a byte-order mark
  Encoding encoding = Encoding::kUtf8;
};

// By byte-order mark (UTF-8, UTF-16), else UTF-8 where it is valid, else GB18030 or Big5, whichever is plausible (see
// DetectEncoding). Throws Error(kInvalidInput) "file:line: ..." that names the first byte which is not UTF-8. NUL bytes
// are refused too: the file is not text.
Decoded DecodeText(std::string bytes, const std::string& file);

// What the beginning of a file is in. `whole`: there is no more; else the last character may be cut. Nothing where it
// is none of ours. UTF-16 without a mark is known by the zeros of its ASCII. GB18030 and Big5 accept most of each
// other's bytes, so both are tried: bytes that decode to nothing or to the private area speak against one; for it speak
// the share of its standard's first level (the everyday characters come first in both) and of the two hundred
// characters that make up half of any Chinese text. A few broken bytes in much plausible text are borne.
std::optional<Encoding> DetectEncoding(std::string_view head, bool whole);

// Bytes in pieces to UTF-8. What does not decode becomes the byte 0xFF, which no UTF-8 holds: whoever checks a line
// finds it there, and the lines beside it stay good. A byte-order mark at the beginning is left out.
class TextDecoder {
 public:
  static constexpr char kBadByte = '\xFF';
  // `at_start`: a byte-order mark may stand first.
  explicit TextDecoder(Encoding encoding, bool at_start = true);
  ~TextDecoder();
  TextDecoder(const TextDecoder&) = delete;
  TextDecoder& operator=(const TextDecoder&) = delete;
  // Appends to *out. `last`: no more comes.
  void Decode(std::string_view bytes, bool last, std::string* out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The offset of the first byte that is not part of valid UTF-8, or npos.
size_t FirstInvalidUtf8(std::string_view text);

}  // namespace atelier::data
