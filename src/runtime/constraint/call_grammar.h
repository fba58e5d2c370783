// Replies that may or must call functions, as a grammar: text that holds no call, then calls in the model's own
// writing, each with arguments that satisfy the schema of the function it names.
#pragma once

#include "artefact/calls.h"
#include "runtime/constraint/grammar.h"
#include "runtime/constraint/token_index.h"

namespace atelier::runtime {

// Throws artefact::FunctionError for parameters that cannot be kept to, kUnsupported for a syntax that the vocabulary
// cannot write, kInvalidInput where there is no function. REQUIRES: distinct names of IsNameChar.
void CompileCalls(const artefact::CallSpec& spec, const TokenIndex& tokens, Grammar* grammar);

}  // namespace atelier::runtime
