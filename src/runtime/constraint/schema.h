// JSON Schema (draft 2020-12) into a grammar; docs/formats/schema.md says what is kept and what is refused.
#pragma once

#include "base/json.h"
#include "runtime/constraint/grammar.h"
#include "runtime/constraint/schema_document.h"

namespace atelier::runtime {

// Every text that the grammar makes is valid under the schema. Throws kUnsupported with the JSON pointer of what cannot
// be kept, also where nothing satisfies the schema; kInvalidInput with the pointer of what is no JSON Schema.
// Several schemas may share a grammar (its root is the last one's) and with `costs` one budget.
void CompileSchema(const Json& schema, Grammar* grammar, SchemaCosts* costs);

}  // namespace atelier::runtime
