// The pass over a parsed template that settles what jinja2's compiler settles before anything runs.
#pragma once

#include "text/jinja/ast.h"

namespace atelier::text::jinja {

// Fills Stmt::hidden and Tree::hidden; refuses unknown filters and tests outside of conditions (inside them they fail
// when they are reached) and assignments to `loop` inside loops. Throws Error(kInvalidInput) "line: ...".
void ResolveScopes(Tree* tree);

}  // namespace atelier::text::jinja
