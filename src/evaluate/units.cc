#include "evaluate/units.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace atelier::evaluate {
namespace {

bool IsAlone(UChar32 c) {
  UErrorCode ignored = U_ZERO_ERROR;
  switch (uscript_getScript(c, &ignored)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_HANGUL: return true;
    default: return false;
  }
}

}  // namespace

std::vector<std::string> Units(std::string_view text) {
  std::vector<std::string> units;
  bool open = false;  // the last unit is a word that may grow
  for (size_t at = 0; at < text.size();) {
    const auto* data = reinterpret_cast<const uint8_t*>(text.data()) + at;
    int32_t step = 0;
    UChar32 c = 0;
    U8_NEXT(data, step, static_cast<int32_t>(std::min<size_t>(text.size() - at, U8_MAX_LENGTH)), c);
    at += static_cast<size_t>(step);
    if (c >= 0 && IsAlone(c)) {
      units.emplace_back(text.substr(at - static_cast<size_t>(step), static_cast<size_t>(step)));
      open = false;
    } else if (c >= 0 && u_isalnum(c)) {
      if (!open) units.emplace_back();
      open = true;
      c = u_tolower(c);
      uint8_t buffer[U8_MAX_LENGTH];
      int32_t length = 0;
      U8_APPEND_UNSAFE(buffer, length, static_cast<uint32_t>(c));
      units.back().append(reinterpret_cast<char*>(buffer), static_cast<size_t>(length));
    } else if (!(open && (c == '\'' || c == 0x2019) && at < text.size())) {  // don't, it's: one word
      open = false;
    }
  }
  return units;
}

std::vector<std::string> Grams(const std::vector<std::string>& units, size_t n) {
  std::vector<std::string> grams;
  for (size_t i = 0; n > 0 && i + n <= units.size(); ++i) {
    std::string gram = units[i];
    for (size_t j = 1; j < n; ++j) gram.append("\x1f").append(units[i + j]);
    grams.push_back(std::move(gram));
  }
  return grams;
}

}  // namespace atelier::evaluate
