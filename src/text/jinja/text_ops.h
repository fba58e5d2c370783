// What Python's str methods and jinja2's text filters share. Positions and widths count code points.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/value.h"

namespace atelier::text::jinja {

std::string Capitalize(std::string_view text);
std::string TitleWords(std::string_view text);  // str.title
std::string SwapCase(std::string_view text);

// Without `chars` when !given: white space.
std::string_view StripText(std::string_view text, bool given, std::string_view chars, bool left, bool right);
// `most` splits at most; all when negative. Views into text.
std::vector<std::string_view> SplitAt(std::string_view text, std::string_view separator, int64_t most);
std::vector<std::string_view> SplitAtFromRight(std::string_view text, std::string_view separator, int64_t most);
std::vector<std::string_view> SplitSpaces(std::string_view text, int64_t most);
std::vector<std::string_view> SplitSpacesFromRight(std::string_view text, int64_t most);
std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends);

std::string ReplaceText(Budget& budget, std::string_view text, std::string_view from, std::string_view to,
                        int64_t most);
// align: < > ^ as ljust, rjust, center.
std::string PadText(Budget& budget, const Str& text, int64_t width, std::string_view fill, char align);
// `name` is isalpha, isdigit ...
bool IsKindOfText(std::string_view text, std::string_view name);

}  // namespace atelier::text::jinja
