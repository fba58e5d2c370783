// The letter by which SentencePiece writes a blank, U+2581.
#pragma once

#include <string_view>

namespace atelier::text {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

}  // namespace atelier::text
