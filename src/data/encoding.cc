#include "data/encoding.h"

#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/str.h"

namespace atelier::data {
namespace {

size_t LineOf(std::string_view bytes, size_t offset) {
  return 1 + static_cast<size_t>(std::count(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(offset), '\n'));
}

std::string HexByte(char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  return {kDigits[value >> 4], kDigits[value & 15]};
}

// UTF-16 units to UTF-8; an unpaired surrogate is an error of the file.
std::string FromUtf16(std::string_view bytes, bool big, const std::string& file) {
  if (bytes.size() % 2 != 0) {
    throw Error(Code::kInvalidInput, Cat(file, ": UTF-16 with an odd number of bytes"),
                "the file is cut off; save it again");
  }
  std::string out;
  out.reserve(bytes.size());
  size_t line = 1;
  auto unit = [&](size_t at) {
    const auto a = static_cast<uint8_t>(bytes[at]), b = static_cast<uint8_t>(bytes[at + 1]);
    return static_cast<uint32_t>(big ? a << 8 | b : b << 8 | a);
  };
  for (size_t at = 0; at < bytes.size(); at += 2) {
    uint32_t c = unit(at);
    if (U16_IS_SURROGATE(c)) {
      const uint32_t low = at + 2 < bytes.size() ? unit(at + 2) : 0;
      if (!U16_IS_LEAD(c) || !U16_IS_TRAIL(low)) {
        throw Error(Code::kInvalidInput, Cat(file, ":", line, ": half of a UTF-16 pair"), "save the file as UTF-8");
      }
      c = static_cast<uint32_t>(U16_GET_SUPPLEMENTARY(c, low));
      at += 2;
    }
    if (c == '\n') ++line;
    char buffer[U8_MAX_LENGTH];
    int32_t length = 0;
    U8_APPEND_UNSAFE(reinterpret_cast<uint8_t*>(buffer), length, c);
    out.append(buffer, static_cast<size_t>(length));
  }
  return out;
}

// The bytes as GB18030, or nothing when they are not: bytes that do not convert, code points nobody assigned or from
// the private area (what Latin-1 and Shift-JIS texts turn into), or no Han at all.
std::optional<std::string> FromGb18030(std::string_view bytes) {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(ucnv_open("GB18030", &status), ucnv_close);
  if (U_FAILURE(status)) return std::nullopt;
  ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
  std::string out;
  out.reserve(bytes.size() * 3 / 2);
  const char *source = bytes.data(), *limit = bytes.data() + bytes.size();
  UChar buffer[4096];
  size_t han = 0, odd = 0, wide = 0;
  UChar32 lead = 0;
  do {
    UChar* target = buffer;
    status = U_ZERO_ERROR;
    ucnv_toUnicode(converter.get(), &target, buffer + 4096, &source, limit, nullptr, true, &status);
    if (U_FAILURE(status) && status != U_BUFFER_OVERFLOW_ERROR) return std::nullopt;
    for (const UChar* at = buffer; at < target; ++at) {
      UChar32 c = *at;
      if (U16_IS_LEAD(c)) {
        lead = c;
        continue;
      }
      if (U16_IS_TRAIL(c)) c = U16_GET_SUPPLEMENTARY(lead, c);
      UErrorCode ignored = U_ZERO_ERROR;
      if (c >= 0x80) {
        ++wide;
        han += uscript_getScript(c, &ignored) == USCRIPT_HAN;
        const int8_t type = u_charType(c);
        odd += type == U_UNASSIGNED || type == U_PRIVATE_USE_CHAR || type == U_CONTROL_CHAR;
      }
      char utf8[U8_MAX_LENGTH];
      int32_t length = 0;
      U8_APPEND_UNSAFE(reinterpret_cast<uint8_t*>(utf8), length, static_cast<uint32_t>(c));
      out.append(utf8, static_cast<size_t>(length));
    }
  } while (status == U_BUFFER_OVERFLOW_ERROR);
  if (han == 0 || odd > 0 || han * 2 < wide) return std::nullopt;
  return out;
}

}  // namespace

std::string_view Name(Encoding encoding) {
  switch (encoding) {
    case Encoding::kUtf8: return "UTF-8";
    case Encoding::kUtf8Bom: return "UTF-8 with BOM";
    case Encoding::kUtf16Le: return "UTF-16LE";
    case Encoding::kUtf16Be: return "UTF-16BE";
    case Encoding::kGb18030: return "GB18030";
  }
  return "";
}

size_t FirstInvalidUtf8(std::string_view text) {
  const auto* data = reinterpret_cast<const uint8_t*>(text.data());
  size_t at = 0;
  while (at < text.size()) {
    if (data[at] < 0x80) {
      ++at;
      continue;
    }
    // One character at a time: ICU's macro counts in int32, a file may be larger.
    const int32_t room = static_cast<int32_t>(std::min<size_t>(text.size() - at, U8_MAX_LENGTH));
    int32_t step = 0;
    UChar32 c = 0;
    U8_NEXT(data + at, step, room, c);
    if (c < 0) return at;
    at += static_cast<size_t>(step);
  }
  return std::string_view::npos;
}

Decoded DecodeText(std::string bytes, const std::string& file) {
  Decoded out;
  const std::string_view view = bytes;
  if (view.starts_with("\xFF\xFE") || view.starts_with("\xFE\xFF")) {
    const bool big = view[0] == '\xFE';
    out.encoding = big ? Encoding::kUtf16Be : Encoding::kUtf16Le;
    out.text = FromUtf16(view.substr(2), big, file);
  } else {
    const bool bom = view.starts_with("\xEF\xBB\xBF");
    if (bom) bytes.erase(0, 3);
    const size_t bad = FirstInvalidUtf8(bytes);
    if (bad == std::string_view::npos) {
      out.encoding = bom ? Encoding::kUtf8Bom : Encoding::kUtf8;
      out.text = std::move(bytes);
    } else {
      std::optional<std::string> gb = bom ? std::nullopt : FromGb18030(bytes);
      if (!gb) {
        throw Error(
            Code::kInvalidInput,
            Cat(file, ":", LineOf(bytes, bad), ": the byte 0x", HexByte(bytes[bad]), " is neither UTF-8 nor GB18030"),
            "save the file as UTF-8");
      }
      out.encoding = Encoding::kGb18030;
      out.text = std::move(*gb);
    }
  }
  if (const size_t nul = out.text.find('\0'); nul != std::string::npos) {
    throw Error(Code::kInvalidInput, Cat(file, ":", LineOf(out.text, nul), ": a NUL byte; this is not a text file"),
                "export the table as CSV or JSONL in UTF-8");
  }
  return out;
}

}  // namespace atelier::data
