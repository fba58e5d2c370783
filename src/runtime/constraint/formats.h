// The formats of JSON Schema strings that are kept, as regular expressions. Each makes only texts that are valid under
// the format's RFC; not every valid one.
#pragma once

#include <optional>
#include <string_view>

namespace atelier::runtime {

// Nothing for a format that is not known: an annotation then, as the specification has it.
std::optional<std::string_view> FormatRegex(std::string_view format);

}  // namespace atelier::runtime
