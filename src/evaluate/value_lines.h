// What measures over labels and numbers read: a file of lines (line_file.h), one case each. CRLF counts as a line's
// end. Every function throws Error(kInvalidInput) "file:line: ..." for what it cannot read, and for a file without
// lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::evaluate {

// One label a line, as it stands, into `text`; a line of nothing but white space is an error.
std::vector<std::string_view> LabelLines(std::string_view text, const std::string& file);

// One finite number a line. White space around it is passed over.
std::vector<double> NumberLines(std::string_view text, const std::string& file);

// Numbers between white space or commas, as many in each line as it has, at least one: [line][number].
std::vector<std::vector<double>> NumberRows(std::string_view text, const std::string& file);

}  // namespace atelier::evaluate
