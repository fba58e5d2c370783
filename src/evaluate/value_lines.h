// What measures over labels, numbers and texts read: a file of lines, one case each. CRLF counts as a line's end, a
// byte order mark at the beginning is passed over, and a line break at the very end begins no line. Every function
// throws Error(kInvalidInput) "file:line: ..." for what it cannot read, and for a file without lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

// Views into `text`. Bytes that are not UTF-8 are an error.
std::vector<std::string_view> TextLines(std::string_view text, const std::string& file);

// One label a line, as it stands; a line of nothing but white space is an error.
std::vector<std::string_view> LabelLines(std::string_view text, const std::string& file);

// One finite number a line. White space around it is passed over.
std::vector<double> NumberLines(std::string_view text, const std::string& file);

// Numbers between white space or commas, as many in each line as it has, at least one: [line][number].
std::vector<std::vector<double>> NumberRows(std::string_view text, const std::string& file);

// Throws Error(kInvalidInput) that names the first line which only one of the two has.
void RequireAsManyLines(size_t a, const std::string& a_file, size_t b, const std::string& b_file);

}  // namespace atelier::evaluate
