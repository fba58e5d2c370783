// Python's two ways to fill a text with values: "%s" % value and "{}".format(value).
#pragma once

#include <string_view>

#include "text/jinja/value.h"

namespace atelier::text::jinja {

Value FormatPercent(Renderer& renderer, const Value& format, const Value& values);
Value FormatBraces(Renderer& renderer, const Value& format, const Arguments& arguments);

// format(value, spec) for numbers and texts.
std::string FormatSpec(Renderer& renderer, const Value& value, std::string_view spec);

}  // namespace atelier::text::jinja
