// Tokens to a tree.
#pragma once

#include <string_view>

#include "text/jinja/ast.h"

namespace atelier::text::jinja {

// Throws Error(kInvalidInput) "line: ...", also for nesting that jinja2 itself would not run: expressions beyond
// 200 levels, statements beyond 90.
Tree ParseTemplate(std::string_view source);

}  // namespace atelier::text::jinja
