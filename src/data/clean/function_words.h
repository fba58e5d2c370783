// Function words by language, for telling English from other languages that are written in Latin letters.
#pragma once

#include <span>
#include <string_view>

namespace atelier::data::clean {

struct FunctionWords {
  std::string_view language;  // ISO 639-1; "en" is first
  std::string_view words;     // lower case, between single spaces
};
std::span<const FunctionWords> AllFunctionWords();

}  // namespace atelier::data::clean
