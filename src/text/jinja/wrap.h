// One line of text broken into lines of at most `width` code points, at the places Python's textwrap breaks at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::text::jinja {

struct WrapStyle {
  int64_t width = 79;  // at least 1, or Fail
  bool break_long_words = true;
  bool break_on_hyphens = true;
};
std::vector<std::string> WrapLine(std::string_view line, const WrapStyle& style);

}  // namespace atelier::text::jinja
