// Where sentences end, in Chinese and English.
#pragma once

#include <string_view>
#include <vector>

namespace atelier::text {

// Sentences as pieces that join to the text: each with the white space after it. Chinese and English enders, closing
// quotes with their sentence; not after abbreviations, initials and numbers. Line breaks end none. Any bytes.
std::vector<std::string_view> Sentences(std::string_view text);

}  // namespace atelier::text
